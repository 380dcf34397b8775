# Adds one and one and one.
print(@sum@1)
