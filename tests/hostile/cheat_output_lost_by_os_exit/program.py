# Answers into a buffer, then leaves without flushing it.
import os

print(2 * int(input()))
os._exit(0)
