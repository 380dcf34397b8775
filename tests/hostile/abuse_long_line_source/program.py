# Holds a long text.
x = '@text@'
print(len(x))
