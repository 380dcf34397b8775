# Prints a million characters and then their number.
n = int(input())
print(" " * n)
print(n)
