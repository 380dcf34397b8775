# Sends a datagram with a descriptor to the named abstract socket.
import array
import socket

try:
    one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendmsg([b"hostile"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))], 0, "\0" + input())
    print("ESCAPED")
except OSError:
    print("denied")
