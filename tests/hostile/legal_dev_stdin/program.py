# Reads stdin through its device file.
print(2 * int(open("/dev/stdin").read()))
