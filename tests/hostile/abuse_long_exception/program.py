# Dies of a very long message.
raise ValueError("x" * 50_000_000)
