# Makes a socket of family 38.
import socket

try:
    socket.socket(38, socket.SOCK_SEQPACKET, 0)
    print("ESCAPED")
except OSError:
    print("denied")
