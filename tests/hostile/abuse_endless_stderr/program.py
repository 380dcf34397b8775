# Complains for ever.
import sys

print(1)
while True:
    sys.stderr.write("x" * 100_000)
