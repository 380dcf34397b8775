# Computes for a quarter of a second of its own CPU time.
import time

while time.process_time() < 0.25:
    sum(range(1000))
print("done")
