# Loops before it defines anything.
while True:
    pass
