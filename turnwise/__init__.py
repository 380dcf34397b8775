"""turnwise measures how language models write code over several turns with execution feedback."""

__version__ = "0.1.0"
