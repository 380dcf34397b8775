# Writes JSON nested a hundred thousand deep to every descriptor, and answers wrongly itself.
payload = b'{"value": ' + b"[" * 100_000 + b"\n"
