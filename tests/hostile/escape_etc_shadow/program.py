# Reads the password table.

try:
    print(open("/etc/shadow").read())
    print("ESCAPED")
except OSError:
    print("denied")
