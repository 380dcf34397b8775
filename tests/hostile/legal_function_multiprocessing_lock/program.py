# Takes a lock of multiprocessing.
import multiprocessing

lock = multiprocessing.Lock()


def f(x):
    with lock:
        return multiprocessing.Value("i", x).value
