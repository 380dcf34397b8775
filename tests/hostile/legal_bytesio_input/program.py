# Reads everything into a BytesIO and takes lines from it.
import io
import os

input = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline
print(sum(int(input()) for _ in range(int(input()))))
