# Squares a long number for ever.
x = int(input())
while True:
    x *= x
