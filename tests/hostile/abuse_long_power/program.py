# Computes a number that takes minutes.
x = 3 ** (1 << 28)
