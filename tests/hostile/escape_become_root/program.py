# Asks for every identity and capability.
import ctypes
import os

gained = []
if os.geteuid() != 0:
    for act in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgid(0), lambda: os.setgroups([0])):
        try:
            act()
            gained.append("identity")
        except OSError:
            pass
libc = ctypes.CDLL(None)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
if libc.capset(header, sets) == 0:
    gained.append("capabilities")
sets = (ctypes.c_uint32 * 6)()
if libc.capget(header, sets) == 0 and sets[0]:
    gained.append(f"effective {sets[0]:x}")
print(gained and f"ESCAPED {gained}" or "denied")
