# Loops in an exit handler.
import atexit


def loop():
    while True:
        pass


atexit.register(loop)
print(1)
