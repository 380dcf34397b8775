# Recurses in a thread with the largest stack that a template asks for.
import sys
import threading

sys.setrecursionlimit(10**6)
threading.stack_size(2**30)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


thread = threading.Thread(target=lambda: print("ok" if depth(30000) == 30000 else "no"))
thread.start()
thread.join()
