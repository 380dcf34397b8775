# Makes a socket of family 16.
import socket

try:
    socket.socket(16, socket.SOCK_RAW, 0)
    print("ESCAPED")
except OSError:
    print("denied")
