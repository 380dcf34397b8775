# Reads the user table.

try:
    print(open("/etc/passwd").read())
    print("ESCAPED")
except OSError:
    print("denied")
