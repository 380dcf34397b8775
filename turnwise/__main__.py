"""``python -m turnwise`` and the console script."""

from turnwise.cli.main import main

if __name__ == "__main__":
    main()
