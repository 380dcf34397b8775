"""``python -m turnwise`` and the console script."""

import sys


def main() -> None:
    """Run the command line."""
    from turnwise.cli.main import main as run

    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:  # the working folder, whose random.py would be taken for Python's
        del sys.path[0]
    main()
