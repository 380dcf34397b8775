# Changes buffering and error handling of its streams.
import sys

sys.stdout.reconfigure(line_buffering=True, errors="replace")
sys.stdin.reconfigure(encoding="utf-8")
print(2 * int(input()))
