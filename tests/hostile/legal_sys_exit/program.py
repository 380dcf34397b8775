# Leaves by sys.exit from a function.
import sys


def main():
    print(2 * int(input()))
    sys.exit()


main()
