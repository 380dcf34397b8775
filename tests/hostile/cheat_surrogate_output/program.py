# Prints half a character.
print("\ud800")
