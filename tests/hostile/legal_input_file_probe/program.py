# Reads input.txt only where it exists.
import os
import sys

if os.path.exists("input.txt"):
    sys.stdin = open("input.txt")
    sys.stdout = open("output.txt", "w")
try:
    sys.stdin = open("input.in")
except OSError:
    pass
print(2 * int(input()))
