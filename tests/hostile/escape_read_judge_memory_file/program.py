# Reads the named address of the named process through /proc.

try:
    process, address = map(int, input().split())
    with open(f"/proc/{process}/mem", "rb", 0) as memory:
        memory.seek(address)
        print(memory.read(100))
    print("ESCAPED")
except OSError:
    print("denied")
