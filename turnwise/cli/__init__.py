"""The command line: parses, delegates to turnwise.commands, prints; app.py lists its commands, main.py runs them.

Option names follow lm-evaluation-harness; dashes and underscores in them are alike.
"""
