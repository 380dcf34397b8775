# Reverses text.
print(input()[::-1], "Größe", "😀")
