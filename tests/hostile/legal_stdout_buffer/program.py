# Writes bytes.
import sys

sys.stdout.buffer.write(b"%d" % (2 * int(input())))
