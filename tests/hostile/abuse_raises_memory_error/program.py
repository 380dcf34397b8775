# Pretends to be out of memory.
raise MemoryError
