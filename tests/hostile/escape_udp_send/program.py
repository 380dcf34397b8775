# Sends a datagram to this machine and to another network.
import socket

try:
    sent = 0
    for address in (("127.0.0.1", 9), ("192.0.2.1", 9)):
        try:
            sent += socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hostile", address)
        except OSError:
            pass
    if not sent:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
