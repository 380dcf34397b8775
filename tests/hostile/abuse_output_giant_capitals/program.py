# Prints many capitals.
import sys

sys.stdout.write("\u00c9" * 1_900_000)
