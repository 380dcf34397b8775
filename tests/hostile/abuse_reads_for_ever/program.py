# Reads without noticing the end.
import sys

while sys.stdin.readline() != "end":
    pass
