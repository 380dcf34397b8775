# Leaves names of odd bytes.
import os

print(2 * int(open('in.txt').read()))

for name in (b"\xff", b"-rf", b"a\nb", b" ", b"x" * 255, b"*", b"\xed\xa0\x80"):
    os.mkdir(name)
    open(name + b"/" + name, "w").close()
