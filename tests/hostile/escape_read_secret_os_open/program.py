# Opens the named file for its path only, then reads it through /proc.
import os

try:
    number = os.open(input(), os.O_PATH)
    print(open(f"/proc/self/fd/{number}").read())
    print("ESCAPED")
except OSError:
    print("denied")
