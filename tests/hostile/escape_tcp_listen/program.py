# Listens for others.
import socket

try:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    print("ESCAPED")
except OSError:
    print("denied")
