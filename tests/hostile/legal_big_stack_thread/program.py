# Recurses in a thread with a 256 MB stack.
import sys
import threading


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def main():
    print(depth(int(input())))


sys.setrecursionlimit(10**7)
threading.stack_size(1 << 28)
thread = threading.Thread(target=main)
thread.start()
thread.join()
