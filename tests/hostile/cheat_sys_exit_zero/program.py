# Leaves successfully before it has answered.
import sys

sys.exit(0)
