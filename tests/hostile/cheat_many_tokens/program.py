# Prints far more tokens than were asked for.
print("2 " * 1_000_000)
