# Shows its whole input.
import sys

print(repr(sys.stdin.read()))
