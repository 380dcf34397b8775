# Leaves with a very long text.
import sys

sys.exit("x" * 3_000_000)
