# Lists the named folder.
import os

try:
    print(os.listdir(input()))
    print("ESCAPED")
except OSError:
    print("denied")
