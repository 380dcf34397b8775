# Starts processes by multiprocessing.
import multiprocessing
import time

try:
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.start()
    print("ESCAPED")
except OSError:
    print("denied")
