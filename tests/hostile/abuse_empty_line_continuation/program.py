# Ends in a continuation.
print(1) \
