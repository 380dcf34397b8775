# Collects numbers for ever.
values = []
while True:
    values.extend(range(100_000))
