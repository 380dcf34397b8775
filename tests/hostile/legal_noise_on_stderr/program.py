# Prints debug lines and a warning.
import sys
import warnings

print("debug", file=sys.stderr)
warnings.warn("careful")
print(2 * int(input()))
