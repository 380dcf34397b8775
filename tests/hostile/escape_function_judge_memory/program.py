# Reads the address that its argument names.
import os


def f(process, address):
    try:
        with open(f"/proc/{process}/mem", "rb", 0) as memory:
            memory.seek(int(address))
            return repr(memory.read(100))
        return "ESCAPED"
    except OSError:
        return "denied"
