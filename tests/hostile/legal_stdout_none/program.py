# Drops its streams at the end.
import sys

print(2 * int(input()))
sys.stdout.flush()
sys.stdout = sys.stderr = sys.stdin = None
