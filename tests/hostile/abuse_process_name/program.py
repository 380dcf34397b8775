# Calls itself a zombie of process 1 that has used nothing.
import ctypes

ctypes.CDLL(None).prctl(15, b") Z 1 0 0\n0 0", 0, 0, 0)
while True:
    pass
