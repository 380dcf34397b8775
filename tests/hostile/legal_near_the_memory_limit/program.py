# Touches 100 MB of its 256 MB.
data = bytearray(b"1") * 100_000_000
print(len(data))
