# Changes mode, owner and times of the named file.
import os

try:
    path, done = input(), []
    for act in (
        lambda: os.chmod(path, 0o777),
        lambda: os.chown(path, 0, 0),
        lambda: os.utime(path, (1, 1)),
        lambda: os.setxattr(path, "user.hostile", b"1"),
    ):
        try:
            act()
            done.append(act)
        except OSError:
            pass
    if not done:
        raise OSError
    print(len(done))
    print("ESCAPED")
except OSError:
    print("denied")
