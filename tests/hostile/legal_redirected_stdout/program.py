# Collects its output in memory.
import io
import sys

real, sys.stdout = sys.stdout, io.StringIO()
print(2 * int(input()))
real.write(sys.stdout.getvalue())
