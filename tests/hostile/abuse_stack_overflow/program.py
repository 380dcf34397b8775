# Compares lists nested deeper than a thread's stack.
import sys
import threading


def compare():
    left, right = [], []
    for _ in range(1_000_000):
        left, right = [left], [right]
    print(left == right)


sys.setrecursionlimit(10**9)
thread = threading.Thread(target=compare)
thread.start()
thread.join()
