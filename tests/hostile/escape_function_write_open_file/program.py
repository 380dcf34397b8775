# Overwrites the file that its argument names.
import io


def f(x):
    try:
        open(x, "a").write("hostile")
        return "ESCAPED"
    except OSError:
        return "denied"
