"""The judge: programs to verdicts, what is expected, what is known."""
