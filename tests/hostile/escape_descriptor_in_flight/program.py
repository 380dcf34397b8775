# Sends its streams through a socket pair to itself, again and again.
import array
import socket

try:
    left, right = socket.socketpair()
    for _ in range(100):
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2, right.fileno()]))])
except OSError:
    pass
print("done")
