# Reserves a terabyte for its output.
import os

os.posix_fallocate(1, 0, 1 << 40)
print(1)
