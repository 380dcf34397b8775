# Connects to the port that its argument names.
import socket


def f(x):
    try:
        socket.create_connection(("127.0.0.1", int(x)), timeout=1)
        return "ESCAPED"
    except OSError:
        return "denied"
