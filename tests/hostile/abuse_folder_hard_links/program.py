# Leaves hard links.
import os

print(2 * int(open('in.txt').read()))

for number in range(100):
    try:
        os.link("in.txt", "link%d" % number)
    except OSError:
        break
