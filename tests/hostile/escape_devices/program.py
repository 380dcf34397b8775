# Opens memory, kernel log, disks, terminals and accelerators.
import os

try:
    opened = []
    for path in (
        "/dev/mem",
        "/dev/kmsg",
        "/dev/port",
        "/dev/sda",
        "/dev/vda",
        "/dev/tty",
        "/dev/console",
        "/dev/fuse",
        "/dev/kvm",
        "/dev/net/tun",
        "/dev/nvidiactl",
        "/dev/ptmx",
        "/dev/loop-control",
        "/dev/snd/seq",
    ):
        try:
            opened.append(os.open(path, os.O_RDWR))
        except OSError:
            pass
    if not opened:
        raise OSError
    print(opened)
    print("ESCAPED")
except OSError:
    print("denied")
