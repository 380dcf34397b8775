# Reads the file that its input names.

try:
    print(open(input()).read())
    print("ESCAPED")
except OSError:
    print("denied")
