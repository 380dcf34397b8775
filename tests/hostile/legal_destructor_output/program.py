# Prints from __del__ of a local object.
class Printer:
    def __init__(self, text):
        self.text = text

    def __del__(self):
        print(self.text)


def main():
    Printer(2 * int(input()))


main()
