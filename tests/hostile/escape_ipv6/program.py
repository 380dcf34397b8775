# Sends a datagram over IPv6.
import socket

try:
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"hostile", ("::1", 9))
    print("ESCAPED")
except OSError:
    print("denied")
