# Answers, then leaves with -1.
import sys

print(2 * int(input()))
sys.exit(-1)
