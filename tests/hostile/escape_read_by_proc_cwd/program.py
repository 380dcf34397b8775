# Lists the working folders and descriptors of its parent and of process 1.
import os

try:
    seen = []
    for number in (os.getppid(), 1):
        for link in ("cwd", "fd", "map_files"):
            try:
                seen += os.listdir(f"/proc/{number}/{link}")
            except OSError:
                pass
    if not seen:
        raise OSError
    print(seen)
    print("ESCAPED")
except OSError:
    print("denied")
