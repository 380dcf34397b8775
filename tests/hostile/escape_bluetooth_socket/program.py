# Makes a socket of family 31.
import socket

try:
    socket.socket(31, socket.SOCK_STREAM, 3)
    print("ESCAPED")
except OSError:
    print("denied")
