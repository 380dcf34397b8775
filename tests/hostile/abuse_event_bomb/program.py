# Makes pipes, events and polls for ever.
import select
import os

kept = []
while True:
    kept.append((os.pipe(), select.epoll()))
