# Changes modules and builtins, and would notice in the next test.
import builtins
import math
import sys

fresh = not hasattr(builtins, "seen") and math.pi > 3 and "ghost" not in sys.modules
builtins.seen = True
math.pi = 0
sys.modules["ghost"] = sys
print("fresh" if fresh else "stale", input())
