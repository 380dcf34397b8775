# Prints many lines, one flush each at first.
n = int(input())
for i in range(100):
    print(i, flush=True)
print("\n".join(map(str, range(100, n))))
