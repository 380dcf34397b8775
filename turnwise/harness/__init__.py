"""turnwise's tasks inside lm-evaluation-harness: the import hook, the task class, the driver of its turns.

Like the command line it stands above all rooms and imports any of them. lm_eval is imported by the modules
that subclass or call it, none of which the command line loads.
"""
