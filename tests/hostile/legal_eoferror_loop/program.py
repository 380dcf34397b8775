# Reads numbers until there are no more.
total = 0
try:
    while True:
        total += int(input())
except EOFError:
    pass
print(total)
