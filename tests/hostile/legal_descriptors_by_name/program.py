# Reads standard input by each of its names.
names = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
print("ok" if {open(name).read() for name in names} == {"given\n"} else "no")
