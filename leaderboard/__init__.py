"""From trajectories to claims: estimators, scores, tables."""
