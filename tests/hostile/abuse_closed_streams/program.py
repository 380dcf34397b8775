# Closes all descriptors, then prints.
import os

os.closerange(0, 1024)
print(1)
