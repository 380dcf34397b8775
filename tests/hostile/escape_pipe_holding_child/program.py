# Leaves a child that holds stdout and stderr.
import os
import time

try:
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
except OSError:
    pass
print("done")
