# Makes a socket of family 40.
import socket

try:
    socket.socket(40, socket.SOCK_STREAM, 0)
    print("ESCAPED")
except OSError:
    print("denied")
