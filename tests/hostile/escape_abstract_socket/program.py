# Connects to the named abstract socket.
import socket

try:
    socket.socket(socket.AF_UNIX).connect("\0" + input())
    print("ESCAPED")
except OSError:
    print("denied")
