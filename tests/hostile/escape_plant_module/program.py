# Writes a module beside the program.
import os
import sys

try:
    for folder in dict.fromkeys([".", *sys.path]):
        try:
            open(os.path.join(folder, "heapq.py"), "x").write("print('ESCAPED')")
            break
        except OSError:
            pass
    else:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
