# Reads the file that its argument names.
import io


def f(x):
    try:
        return open(x).read()
        return "ESCAPED"
    except OSError:
        return "denied"
