# coding: rot13
# Hides its text behind a transform.
cevag(1)
