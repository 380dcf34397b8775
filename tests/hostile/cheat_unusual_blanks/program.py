# Separates by blanks that only text knows.
print("1\u00a02\u20033\x85")
