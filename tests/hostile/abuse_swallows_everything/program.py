# Catches whatever is raised, for ever.
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
