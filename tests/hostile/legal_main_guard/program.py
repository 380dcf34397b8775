# Works only if __name__ is __main__.
def main():
    print(2 * int(input()))


if __name__ == "__main__":
    main()
