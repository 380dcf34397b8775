# Prints a float of many digits.
import sys

sys.stdout.write("0." + "3" * 3_000_000)
