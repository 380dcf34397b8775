# Counts and sums many numbers.
import sys

values = list(map(int, sys.stdin.buffer.read().split()))
print(len(values), sum(values))
