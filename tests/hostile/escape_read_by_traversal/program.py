# Climbs to the root and down to the named file.

try:
    print(open("../" * 40 + input().lstrip("/")).read())
    print("ESCAPED")
except OSError:
    print("denied")
