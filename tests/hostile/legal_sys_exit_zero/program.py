# Leaves by sys.exit(0).
import sys

print(2 * int(input()))
sys.exit(0)
