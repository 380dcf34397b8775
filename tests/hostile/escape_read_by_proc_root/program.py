# Goes through the root of this process, of a thread and of the parent.
import os

try:
    path = input()
    for root in (
        "/proc/self/root",
        "/proc/thread-self/root",
        "/proc/self/task/1/root",
        f"/proc/{os.getppid()}/root",
        "/proc/1/root",
    ):
        if os.path.exists(root + path):
            print("ESCAPED", open(root + path).read())
            break
    else:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
