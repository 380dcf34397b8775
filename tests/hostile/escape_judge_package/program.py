# Looks for turnwise and its data on the module path.
import importlib
import os
import sys

found = [folder for folder in sys.path if os.path.isdir(os.path.join(folder, "turnwise"))]
try:
    importlib.import_module("turnwise.benchmarks")
    found.append("imported")
except (ImportError, OSError):
    pass
print(f"ESCAPED {found}" if found else "denied")
