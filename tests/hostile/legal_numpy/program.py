# Sums with numpy.
import numpy as np

print(np.array(input().split(), dtype=np.int64).sum())
