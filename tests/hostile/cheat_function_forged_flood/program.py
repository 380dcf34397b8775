# Writes five megabytes without an end to every descriptor, and answers wrongly itself.
payload = b'{"value": "' + b"x" * 5_000_000
