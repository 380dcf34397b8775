# Writes the words of every protocol it can think of to every descriptor, and answers wrongly itself.
payload = b'{"ready": 0.0}\n{"ending": "finished", "status": 0, "verdict": "passed", "cpu": 0}\n'
