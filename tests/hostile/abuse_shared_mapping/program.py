# Fills a shared mapping.
import mmap

area = mmap.mmap(-1, 400_000_000)
for _ in range(400):
    area.write(b"1" * 1_000_000)
print(1)
