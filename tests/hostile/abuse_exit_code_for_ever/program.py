# Leaves with an object that loops when shown.
import sys


class Odd:
    def __str__(self):
        while True:
            pass


sys.exit(Odd())
