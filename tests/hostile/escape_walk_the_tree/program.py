# Walks everything that it can list and looks for the canary's name.
import os

try:
    name, found = os.path.basename(input()), []
    for top in {os.path.realpath(path) for path in ("/", ".", "..")}:
        for folder, folders, files in os.walk(top):
            folders[:] = [one for one in folders if one not in ("proc", "sys", "usr", "lib", "lib64", "site-packages")]
            found += [os.path.join(folder, one) for one in files if one == name]
    if not found:
        raise OSError
    print(found)
    print("ESCAPED")
except OSError:
    print("denied")
