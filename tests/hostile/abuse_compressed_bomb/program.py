# Decompresses zeros of zeros.
import zlib

packed = zlib.compress(bytes(100_000_000), 9)
print(len(b"1" + zlib.decompress(packed)) + len(bytearray(b"1") * 300_000_000))
