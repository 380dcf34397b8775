# Leaves many folders.
import os

print(2 * int(open('in.txt').read()))

try:
    for number in range(200):
        os.mkdir("d%d" % number)
        open("f%d" % number, "w").close()
except OSError:
    pass
