# Leaves folders in folders.
import os

print(2 * int(open('in.txt').read()))

try:
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
except OSError:
    pass
