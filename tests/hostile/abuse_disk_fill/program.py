# Writes a large file wherever it can.
import os

for folder in (".", "/tmp", "/dev/shm", "/var/tmp"):
    with open(os.path.join(folder, "hostile-large"), "wb") as file:
        while True:
            file.write(bytes(1_000_000))
