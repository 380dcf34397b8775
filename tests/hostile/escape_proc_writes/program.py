# Writes to the knobs of itself and of the machine.
import os

try:
    turned = []
    for path, text in {
        "/proc/self/oom_score_adj": "-1000",
        "/proc/self/uid_map": "0 0 1",
        "/proc/self/setgroups": "allow",
        "/proc/self/coredump_filter": "ff",
        "/proc/sys/kernel/core_pattern": "|/hostile",
        "/proc/sys/kernel/hostname": "hostile",
        "/proc/sysrq-trigger": "?",
        "/proc/self/clear_refs": "5",
    }.items():
        try:
            number = os.open(path, os.O_WRONLY)
            turned.append(path)
            os.close(number)
        except OSError:
            pass
    if not turned:
        raise OSError
    print(turned)
    print("ESCAPED")
except OSError:
    print("denied")
