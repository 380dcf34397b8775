# Opens the named file only to know its size.
import os

try:
    with open(input(), "rb") as file:
        print(os.fstat(file.fileno()).st_size)
    print("ESCAPED")
except OSError:
    print("denied")
