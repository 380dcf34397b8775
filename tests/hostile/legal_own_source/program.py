# Reads its own file by all its names.
import inspect
import sys


def shown():
    return "marked"


text = open(__file__).read()
same = text == open(sys.argv[0]).read() == inspect.getsource(sys.modules["__main__"])
print("ok" if same and "marked" in inspect.getsource(shown) else "no")
