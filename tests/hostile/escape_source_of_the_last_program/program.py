# Looks behind the end of its own file.
import os

number = os.open(__file__, os.O_RDONLY)
size = os.fstat(number).st_size
more = os.pread(number, 1 << 16, size)
print("ESCAPED" if more or b"heapq, json, re" in os.pread(number, 1 << 16, 0)[400:] else "denied")
