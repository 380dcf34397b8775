# Leaves folders of odd modes.
import os

print(2 * int(open('in.txt').read()))

os.umask(0)
for mode in (0o111, 0o222, 0o333, 0o444, 0o555, 0o1000, 0o1777):
    os.mkdir("%o" % mode, mode)
os.umask(0o777)
os.mkdir("nothing")
