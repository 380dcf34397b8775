"""What commands print."""


def say(text: str) -> None:
    """Print what a command returned, and leave nothing of it in a buffer."""
    print(text.rstrip("\n"), flush=True)
