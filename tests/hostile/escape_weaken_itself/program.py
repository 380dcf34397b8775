# Asks for the lowest priority, idle scheduling and a single processor, and asks the kernel what came of it.
import ctypes
import os

library = ctypes.CDLL(None, use_errno=True)


def known_to_the_kernel():
    cores = ctypes.create_string_buffer(128)
    library.sched_getaffinity(0, len(cores), cores)
    return library.getpriority(0, 0), library.sched_getscheduler(0), cores.raw


before = known_to_the_kernel()
first = (ctypes.c_uint64 * 16)(1 << min(os.sched_getaffinity(0)))
nothing = ctypes.c_int(0)
for act in (
    lambda: os.nice(19),
    lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),
    lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)),
    lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]),
    lambda: library.nice(19),
    lambda: library.setpriority(0, 0, 19),
    lambda: library.sched_setscheduler(0, 5, ctypes.byref(nothing)),
    lambda: library.sched_setaffinity(0, 128, first),
):
    try:
        act()
    except OSError:
        pass
print("denied" if known_to_the_kernel() == before else "ESCAPED")
