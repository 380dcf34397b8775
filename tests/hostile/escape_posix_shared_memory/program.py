# Makes a shared memory block that would outlive it.

from multiprocessing import shared_memory

try:
    shared_memory.SharedMemory(name="hostile", create=True, size=4096)
    print("ESCAPED")
except OSError:
    print("denied")
