"""The wire half of turnwise: frozen records of problems, dialogues, verdicts and settings, and how they are read."""
