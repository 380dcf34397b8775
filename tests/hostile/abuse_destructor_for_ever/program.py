# Loops while its last object dies.
class Last:
    def __del__(self):
        while True:
            pass


def main():
    last = Last()
    print(1, flush=True)


main()
