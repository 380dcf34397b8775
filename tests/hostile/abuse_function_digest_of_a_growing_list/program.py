# Returns a list to which a thread adds for as long as it is read.
import threading

result = [0]


def grow():
    while True:
        result.extend([0] * 1000)


def f(x):
    threading.Thread(target=grow, daemon=True).start()
    return result
