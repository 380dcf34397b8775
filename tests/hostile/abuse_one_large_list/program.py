# Asks for 8 GiB at once.
values = [0] * (1 << 30)
print(1)
