# Closes its input.
import sys

number = int(sys.stdin.read())
sys.stdin.close()
print(2 * number)
