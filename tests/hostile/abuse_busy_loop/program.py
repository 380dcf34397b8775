# Loops.
while True:
    pass
