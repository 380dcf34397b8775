# Leaves a folder where the input was.
import os

print(2 * int(open('in.txt').read()))

os.remove("in.txt")
os.mkdir("in.txt", 0o300)
os.makedirs("in.txt/in.txt", 0)
