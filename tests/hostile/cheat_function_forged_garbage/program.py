# Writes bytes that are no frames to every descriptor, and answers wrongly itself.
payload = bytes(range(256)) * 16 + b"\xff" * 64 + b"\n\0\n\n"
