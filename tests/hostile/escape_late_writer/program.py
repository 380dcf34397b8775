# Lets a child write into the output of the next test.
import os
import time

try:
    if os.fork() == 0:
        for _ in range(200):
            os.write(1, b"ESCAPED\n")
            time.sleep(0.01)
        os._exit(0)
except OSError:
    pass
print(input())
