# Does nothing at all.
