"""Runs in the files of other tools, read and written: a module for each tool's formats."""
