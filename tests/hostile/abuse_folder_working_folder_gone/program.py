# Removes the folder that it is in.
import os

print(2 * int(open('in.txt').read()))

os.mkdir("d")
os.chdir("d")
os.rmdir("../d")
