"""Learning from trajectories: training data from solved dialogues, and fine-tuning on them (arXiv 2410.08105)."""
