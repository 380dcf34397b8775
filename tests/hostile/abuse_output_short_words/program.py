# Prints short words.
import sys

sys.stdout.write("2 " * 2_000_000)
