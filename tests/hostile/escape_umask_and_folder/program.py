# Changes folder and mask, and would see the earlier test's.
import os

here = os.getcwd()
try:
    old = os.umask(0o123)
except OSError:
    old = 0
print("ESCAPED" if old == 0o123 or here == "/" and os.environ.get("MOVED") else "denied")
os.environ["MOVED"] = "1"
try:
    os.chdir("/")
except OSError:
    pass
