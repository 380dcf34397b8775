# Solves a linear system.
import sys

import numpy as np

a, b, c, d = map(float, sys.stdin.read().split())
print(round(float(np.linalg.det(np.array([[a, b], [c, d]]))), 6))
print(np.linalg.solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 4.0])).tolist())
