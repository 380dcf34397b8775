"""Asking models and running what they write: samplers, the turn loop, the judge, executors."""
