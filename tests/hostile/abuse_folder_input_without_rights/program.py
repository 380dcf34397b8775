# Puts a file without rights in the place of the input.
import os

print(2 * int(open('in.txt').read()))

os.remove("in.txt")
os.close(os.open("in.txt", os.O_CREAT | os.O_WRONLY, 0))
