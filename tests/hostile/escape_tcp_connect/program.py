# Connects to the named port.
import socket

try:
    socket.create_connection(("127.0.0.1", int(input())), timeout=1)
    print("ESCAPED")
except OSError:
    print("denied")
