# Tries to write, empty, replace, rename, remove and unprotect its own file.
import os

before = open(__file__).read()
folder = os.path.dirname(__file__)
for act in (
    lambda: open(__file__, "a"),
    lambda: open(__file__, "r+").truncate(0),
    lambda: os.truncate(__file__, 0),
    lambda: os.chmod(__file__, 0o666),
    lambda: os.chmod(folder, 0o777),
    lambda: os.rename(__file__, __file__ + ".old"),
    lambda: os.unlink(__file__),
    lambda: os.link(__file__, os.path.join(folder, "other.py")),
    lambda: os.symlink("/etc/passwd", os.path.join(folder, "other.py")),
    lambda: os.mkdir(os.path.join(folder, "inside")),
    lambda: os.utime(__file__),
):
    try:
        act()
    except OSError:
        pass
    else:
        print("ESCAPED")
print("denied" if os.listdir(folder) == ["solution.py"] and open(__file__).read() == before else "ESCAPED")
