# Makes a node of each kind in the named folder.
import os
import stat

try:
    folder, made = input(), []
    for act in (
        os.mkdir,
        os.mkfifo,
        lambda path: os.mknod(path, 0o644 | stat.S_IFCHR, os.makedev(1, 3)),
        lambda path: os.mknod(path, 0o644 | stat.S_IFSOCK),
    ):
        try:
            act(os.path.join(folder, "hostile-node"))
            made.append(act)
        except OSError:
            pass
    if not made:
        raise OSError
    print(len(made))
    print("ESCAPED")
except OSError:
    print("denied")
