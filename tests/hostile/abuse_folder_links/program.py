# Leaves links out of the folder.
import os

print(2 * int(open('in.txt').read()))

os.mkdir("a")
for name, target in (("root", "/"), ("up", ".."), ("self", "."), ("a/up", "../.."), ("loop", "loop"), ("a/tmp", "/tmp")):
    try:
        os.symlink(target, name)
    except OSError:
        pass
