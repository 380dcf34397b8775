# Prints the answer in full-width digits.
print(chr(0xFF10 + 2 * int(input())))
