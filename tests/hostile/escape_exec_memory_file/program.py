# Copies a program into memory and executes the copy.
import os

try:
    number = os.memfd_create("copy", 0)
    os.write(number, open("/bin/true", "rb").read())
    os.execve(number, ["copy"], {})
    print("ESCAPED")
except OSError:
    print("denied")
