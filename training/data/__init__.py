"""Training data out of what runs solved."""
