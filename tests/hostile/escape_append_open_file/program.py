# Appends to the named file.

try:
    open(input(), "ab").write(b"hostile")
    print("ESCAPED")
except OSError:
    print("denied")
