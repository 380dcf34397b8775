"""Which problems of one set are also in others."""
