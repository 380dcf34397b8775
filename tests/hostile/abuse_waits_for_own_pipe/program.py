# Reads from its own empty pipe.
import os

reader, writer = os.pipe()
os.read(reader, 1)
