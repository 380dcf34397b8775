# Reads all of stdin as bytes.
import sys

print(2 * int(sys.stdin.buffer.read()))
