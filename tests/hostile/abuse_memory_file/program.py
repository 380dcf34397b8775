# Fills memory files.
import os

files = [os.memfd_create(str(i)) for i in range(50)]
for number in files:
    for _ in range(20):
        os.write(number, b"1" * 1_000_000)
print(1)
