"""The errors a user can cause or meet; the command line prints them as one sentence, never a traceback.

Each message names the thing, the value and the remedy. This module is a leaf: every room may import it.
"""


class TurnwiseError(Exception):
    """A user's mistake or a missing thing; the command line exits with ``exit_status``."""

    exit_status = 2


class InfrastructureError(TurnwiseError):
    """The machine failed, not the program under test; nothing was judged."""

    exit_status = 3


class MissingExtraError(TurnwiseError):
    """An optional dependency is not installed."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the package {package}: run pip install 'turnwise[{extra}]'.")
