# Answers, then raises behind an excepthook that says nothing.
import sys

sys.excepthook = lambda *error: None
print(2 * int(input()))
raise ValueError
