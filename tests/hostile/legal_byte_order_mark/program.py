# Begins with a byte order mark.
print(2 * int(input()))
