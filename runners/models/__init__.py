"""The models: every back end with its arguments, and what they share."""
