# Leaves with a number that no status holds.
import sys

print(1)
sys.exit(1 << 100)
