# Prints a number that is the expected one as a double.
print(10**18 + 1)
