# Asks for 8 GiB of zeros, which the kernel gives only when touched.
values = bytearray(8 << 30)
print(len(values))
