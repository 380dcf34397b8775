# Would fail if its main guard ran.
def f(x):
    return x + 1


if __name__ == "__main__":
    raise SystemExit("not a script")
