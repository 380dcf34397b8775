# Maps the file behind stdin.
import mmap

print(2 * int(mmap.mmap(0, 0, access=mmap.ACCESS_READ).read()))
