# Prints all numbers.
print(*range(1000))
