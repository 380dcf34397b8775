# Fills a private mapping.
import mmap

area = mmap.mmap(-1, 400_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for _ in range(400):
    area.write(b"1" * 1_000_000)
print(1)
