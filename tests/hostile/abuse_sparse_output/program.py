# Seeks far ahead, then writes.
import os

os.lseek(1, 1 << 42, 0)
os.write(1, b"1")
