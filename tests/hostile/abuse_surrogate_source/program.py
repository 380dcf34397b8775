# Holds half a character.
x = 'í €'
print(1)
