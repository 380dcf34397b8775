# Changes small integers and a library module's code in memory, and would see the earlier test's.
import ctypes
import heapq

print("ESCAPED" if str(int("251")) != "251" or hasattr(heapq, "marked") else "denied", flush=True)
heapq.marked = True
ctypes.c_int32.from_address(id(251) + 24).value = 7
