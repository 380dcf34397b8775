# Sends by MSG_FASTOPEN without connecting.
import socket

try:
    one = socket.socket()
    one.sendto(b"hostile", socket.MSG_FASTOPEN, ("127.0.0.1", int(input())))
    print("ESCAPED")
except OSError:
    print("denied")
