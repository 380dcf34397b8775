# Enters the folder of the secret.
import os

try:
    os.chdir(input())
    print(open("secret").read())
    print("ESCAPED")
except OSError:
    print("denied")
