# Opens an O_TMPFILE in the named folder and in the usual ones.
import os

try:
    for folder in (input(), "/tmp", "/dev/shm"):
        try:
            number = os.open(folder, os.O_TMPFILE | os.O_RDWR)
        except OSError:
            continue
        os.write(number, b"hostile")
        break
    else:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
