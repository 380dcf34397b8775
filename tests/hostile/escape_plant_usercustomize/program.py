# Writes start-up modules and path files wherever the interpreter looks.
import os
import site
import sys

try:
    made = []
    for folder in [*sys.path, *site.getsitepackages(), site.getusersitepackages(), sys.prefix, sys.base_prefix]:
        for name in ("usercustomize.py", "sitecustomize.py", "hostile.pth"):
            try:
                open(os.path.join(folder or ".", name), "x").close()
                made.append(name)
            except OSError:
                pass
    if not made:
        raise OSError
    print(made)
    print("ESCAPED")
except OSError:
    print("denied")
