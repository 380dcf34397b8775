# Dies behind a stderr that never finishes.
import sys


class Odd:
    def write(self, text):
        while True:
            pass

    flush = write


sys.stderr = Odd()
raise ValueError
