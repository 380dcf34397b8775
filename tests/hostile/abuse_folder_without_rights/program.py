# Leaves folders of mode 000.
import os

print(2 * int(open('in.txt').read()))

os.mkdir("a", 0)
os.mkdir("b", 0o300)
os.mkdir("b/c", 0o300)
os.mkdir("b/c/d", 0)
os.close(os.open("b/c/e", os.O_CREAT | os.O_WRONLY, 0))
