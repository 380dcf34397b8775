# Shuts down whatever socket it has, then answers wrongly.
import os
import socket


def f(x):
    for number in range(3, 256):
        try:
            socket.socket(fileno=os.dup(number)).shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    return 0
