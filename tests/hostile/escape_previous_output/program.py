# Reads what already stands in its own output files before it writes.
import os

seen = b""
for number in (1, 2):
    try:
        seen += os.pread(number, 1000, 0)
    except OSError:
        pass
    try:
        seen += open(f"/proc/self/fd/{number}", "rb").read(1000)
    except OSError:
        pass
print("ESCAPED" if seen else "denied")
print("trace " * 100, file=__import__("sys").stderr)
