# Searches until its own timer fires.
import signal


class Enough(Exception):
    pass


def stop(number, frame):
    raise Enough


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    while True:
        pass
except Enough:
    print(2 * int(input()))
