# Writes a .pyc beside modules that every program imports.
import heapq
import importlib.util
import json
import os

try:
    made = []
    for module in (heapq, json, os):
        for path in (module.__file__, importlib.util.cache_from_source(module.__file__)):
            try:
                open(path, "r+b").close()
                made.append(path)
            except OSError:
                pass
    if not made:
        raise OSError
    print(made)
    print("ESCAPED")
except OSError:
    print("denied")
