# Allocates too much for a moment.
values = bytearray(b"1") * 300_000_000
del values
print(1)
