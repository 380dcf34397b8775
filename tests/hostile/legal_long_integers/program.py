# Doubles a number of any length.
print(2 * int(input()))
