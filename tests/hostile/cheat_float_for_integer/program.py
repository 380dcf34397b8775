# Prints the right value in the form of a float.
print(float(2 * int(input())))
