"""What runs inside the sandbox: Python 3.8 syntax, no import of turnwise; zygote.py starts it."""
