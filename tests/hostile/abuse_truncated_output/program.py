# Stretches its output file.
import os

print(1, flush=True)
os.ftruncate(1, 1 << 40)
