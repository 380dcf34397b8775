# Runs another interpreter.
import subprocess
import sys

try:
    print(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True))
    print("ESCAPED")
except OSError:
    print("denied")
