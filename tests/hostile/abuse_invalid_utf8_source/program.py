# Holds the bytes ÿþ.
print(1)
