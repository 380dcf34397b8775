# Collects lines and prints them at exit.
import atexit

lines = []
atexit.register(lambda: print("\n".join(lines)))
lines.append(str(2 * int(input())))
