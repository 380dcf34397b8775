# Reads all clocks around a short sleep.
import resource
import time

start = time.perf_counter()
time.sleep(0.01)
clocks = time.time(), time.monotonic(), time.process_time(), time.thread_time(), time.localtime().tm_year
print(time.perf_counter() - start >= 0.01, len(clocks), resource.getrusage(resource.RUSAGE_SELF).ru_utime >= 0)
