# Asks for the lowest priority, idle scheduling and a single processor.
import os

try:
    done = []
    for act in (
        lambda: os.nice(19),
        lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)),
        lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]),
    ):
        try:
            act()
            done.append(act)
        except OSError:
            pass
    if not done:
        raise OSError
    print(len(done))
    print("ESCAPED")
except OSError:
    print("denied")
