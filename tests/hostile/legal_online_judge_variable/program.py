# Reads two environment variables that are not there.
import os

assert os.environ.get("TURNWISE_CANARY") is None
print(2 * int(input()) if not os.getenv("LOCAL_DEBUG") else "local")
