# Prints the answer and takes it back.
import os

print(1, flush=True)
os.ftruncate(1, 0)
