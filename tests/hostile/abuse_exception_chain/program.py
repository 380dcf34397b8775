# Dies of an exception with a long history.
error = None
for index in range(10_000):
    following = ValueError(index)
    following.__cause__ = error
    error = following
raise error
