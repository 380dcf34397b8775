# Ignores and blocks every signal, and would see the earlier test's choice.
import signal

changed = [
    one for one in (signal.SIGTERM, signal.SIGALRM, signal.SIGXCPU) if signal.getsignal(one) is not signal.SIG_DFL
]
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
print("ESCAPED" if changed else "denied")
for one in signal.valid_signals():
    try:
        signal.signal(one, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
