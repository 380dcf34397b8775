# Reads stdin through its descriptor number.
print(2 * int(open(0).read()))
