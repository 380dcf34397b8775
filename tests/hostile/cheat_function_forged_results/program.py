# Writes result frames for later calls to every descriptor, and answers wrongly itself.
payload = b'{"value": 2}\n{"value": 4}\n{"value": 6}\n' * 3
