# Connects to the named socket.
import socket

try:
    socket.socket(socket.AF_UNIX).connect(input())
    print("ESCAPED")
except OSError:
    print("denied")
