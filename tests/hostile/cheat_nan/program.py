# Prints what compares oddly.
print("nan")
