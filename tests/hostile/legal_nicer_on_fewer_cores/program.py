# Makes itself nicer, keeps to one core, and believes what it is told.
import os

before = os.nice(0)
core = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {core})
print("ok" if os.nice(2) == before + 2 and os.sched_getaffinity(0) == {core} else "no")
