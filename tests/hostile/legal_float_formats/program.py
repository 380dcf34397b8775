# Writes a third in several ways.
print("0.3333333", "3.333333333e-1", 1 / 3, "+.33333333333")
