# Leaves pipes.
import os

print(2 * int(open('in.txt').read()))

for name in ("a", "b"):
    try:
        os.mkfifo(name)
    except OSError:
        pass
