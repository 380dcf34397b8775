# Nests comprehensions.
x = @open@1@close@
print(0)
