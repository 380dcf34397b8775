# Pushes a character into the terminals that it can reach.
import fcntl
import termios

try:
    for number in (0, 1, 2):
        try:
            fcntl.ioctl(number, termios.TIOCSTI, b"x")
            break
        except OSError:
            pass
    else:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
