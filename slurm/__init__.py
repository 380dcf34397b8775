"""The same work on many nodes, as plans, shards and workers under SLURM; not built yet."""
