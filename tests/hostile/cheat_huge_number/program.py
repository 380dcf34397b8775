# Prints very long tokens for short numbers.
print("1" * 1_000_000, "0." + "0" * 1_000_000 + "1e1000002")
