# Sets every timer, and would see the earlier test's.
import ctypes
import signal

left = signal.getitimer(signal.ITIMER_REAL)[0] + signal.alarm(0) + signal.getitimer(signal.ITIMER_PROF)[0]
print("ESCAPED" if left else "denied")
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.alarm(1)
signal.setitimer(signal.ITIMER_PROF, 0.5)
libc, timer = ctypes.CDLL(None), ctypes.c_void_p()
try:
    if libc.timer_create(1, None, ctypes.byref(timer)) == 0:
        libc.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 1000, 0, 1000), None)
except AttributeError:
    pass
