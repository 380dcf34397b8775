# Nests lambdas.
f = @lambda@1
print(0)
