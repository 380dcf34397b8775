# Creates a file in every folder that is usually writable.
import os

try:
    made = []
    for folder in (
        input(),
        "/tmp",
        "/var/tmp",
        "/dev/shm",
        "/run",
        "/root",
        "/home",
        os.path.expanduser("~"),
        "/",
        "/dev/mqueue",
    ):
        path = os.path.join(folder, "hostile-file")
        try:
            with open(path, "w") as file:
                file.write("hostile")
            made.append(path)
        except OSError:
            pass
    if not made:
        raise OSError
    print(made)
    print("ESCAPED")
except OSError:
    print("denied")
