# Prints for ever.
def f(x):
    while True:
        print("x" * 100_000)
