# Collects memory and goes on when it is refused.
kept, size = [], 1 << 27
while size:
    try:
        kept.append(bytearray(b"1") * size)
    except MemoryError:
        size //= 2
print(1)
