# Lists the working folders and descriptors of its parent and of process 1.
import os

try:
    own = set(os.listdir())  # where its parent is as well, without namespaces
    seen = []
    for number in (os.getppid(), 1):
        for link in ("cwd", "fd", "map_files"):
            try:
                seen += set(os.listdir(f"/proc/{number}/{link}")) - own
            except OSError:
                pass
    if not seen:
        raise OSError
    print(seen)
    print("ESCAPED")
except OSError:
    print("denied")
