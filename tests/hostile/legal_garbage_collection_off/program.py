# Works without a garbage collector.
import gc

gc.disable()
gc.freeze()
print(len([[i] for i in range(int(input()))]))
