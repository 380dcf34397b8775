# Leaves a file in every folder and looks for the one of an earlier test.
import os
import sys
import tempfile

folders = [".", "/tmp", "/dev/shm", "/var/tmp", "/box", "/work", *sys.path]
if any(os.path.exists(os.path.join(folder, "hostile-trace")) for folder in folders):
    print("ESCAPED")
else:
    print("denied")
for folder in folders:
    try:
        open(os.path.join(folder, "hostile-trace"), "w").close()
    except OSError:
        pass
try:
    tempfile.mkstemp(prefix="hostile-")
except OSError:
    pass
