# Computes in a thread and leaves another behind.
import threading


def f(x):
    result = []
    thread = threading.Thread(target=lambda: result.append(2 * x))
    thread.start()
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    thread.join()
    return result[0]
