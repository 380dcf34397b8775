"""Executors: run untrusted programs on inputs, without ever seeing an expected output."""
