# Reads the named file through a module loader.
import importlib.machinery

try:
    path = input()
    print(importlib.machinery.SourceFileLoader("found", path).get_data(path))
    print("ESCAPED")
except OSError:
    print("denied")
