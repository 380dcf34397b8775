# Prints one long word.
import sys

sys.stdout.write("1" * 4_000_000)
