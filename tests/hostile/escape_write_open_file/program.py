# Overwrites the named file.

try:
    open(input(), "w").write("hostile")
    print("ESCAPED")
except OSError:
    print("denied")
