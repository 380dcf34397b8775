# Looks for the places of the judge in arguments, environment, frames and modules.
import os
import sys

texts = [*sys.argv, *getattr(sys, "orig_argv", []), sys.executable, *os.environ.values(), os.getcwd()]
frame = sys._getframe()
while frame is not None:
    code = frame.f_code
    texts += [code.co_filename, *map(str, code.co_consts), str(frame.f_globals.get("__file__"))]
    texts += [repr(frame.f_globals.get(name)) for name in ("packages", "path", "package")]
    frame = frame.f_back
for name in ("USER", "LOGNAME", "USERNAME", "VIRTUAL_ENV", "PYTHONPATH"):
    texts.append("turnwise" if os.environ.get(name) else "")
bad = [text for text in texts if "turnwise/" in text or "site-packages" in text or "/home/" in text or "/root" in text]
print("ESCAPED %r" % bad if bad else "denied")
