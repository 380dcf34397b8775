# Changes an immutable object through /proc/self/mem.

try:
    text = b"immutable-" + bytes([65, 66])
    with open("/proc/self/mem", "r+b", 0) as memory:
        memory.seek(id(text) + 32)
        memory.write(b"X")
    print("ESCAPED")
except OSError:
    print("denied")
