# Makes a socket of family 17.
import socket

try:
    socket.socket(17, socket.SOCK_RAW, 0)
    print("ESCAPED")
except OSError:
    print("denied")
