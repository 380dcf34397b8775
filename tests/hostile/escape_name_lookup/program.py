# Resolves a name.
import socket

try:
    print(socket.getaddrinfo("localhost", 80), socket.getaddrinfo("example.com", 80))
    print("ESCAPED")
except OSError:
    print("denied")
