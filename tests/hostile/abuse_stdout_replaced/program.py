# Hangs in the last flush.
import sys


class Odd:
    closed = False

    def write(self, text):
        pass

    def flush(self):
        while True:
            pass


sys.stdout = Odd()
print(1)
