# Makes a socket of family 2.
import socket

try:
    socket.socket(2, socket.SOCK_RAW, 1)
    print("ESCAPED")
except OSError:
    print("denied")
