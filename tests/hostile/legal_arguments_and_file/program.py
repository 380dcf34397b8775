# Shows what it knows of itself.
import os
import sys

print(len(sys.argv), os.path.basename(__file__), __name__)
