# Raises from code that claims to come from the named file, then formats the traceback.
import linecache
import traceback

try:
    path = input()
    try:
        exec(compile("1 / 0", path, "exec"))
    except ZeroDivisionError:
        text = traceback.format_exc() + "".join(linecache.getlines(path))
    if "-".join(("secret", "")) not in text:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
