# Asks for the user's name.
import getpass
import os

print("ok" if getpass.getuser() and os.path.expanduser("~") != "~" else "no")
