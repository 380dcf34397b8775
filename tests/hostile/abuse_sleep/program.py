# Sleeps for an hour.
import time

print(1, flush=True)
time.sleep(3600)
