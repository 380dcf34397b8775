# Reserves 400 MB and touches one page of it.
import mmap

area = mmap.mmap(-1, 400 << 20)
area[0] = 1
print(area[0])
