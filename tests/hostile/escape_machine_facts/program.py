# Reads what /proc and /sys tell of others.
import os

try:
    told = []
    for path in (
        "/proc/1/cmdline",
        f"/proc/{os.getppid()}/cmdline",
        f"/proc/{os.getppid()}/environ",
        "/proc/net/tcp",
        "/proc/kallsyms",
        "/proc/kcore",
        "/sys/class/net/eth0/address",
        "/etc/hostname",
        "/etc/machine-id",
        "/var/log/syslog",
    ):
        try:
            if open(path, "rb").read(4096):
                told.append(path)
        except OSError:
            pass
    if not told:
        raise OSError
    print(told)
    print("ESCAPED")
except OSError:
    print("denied")
