"""Learning from trajectories, by rejection-sampling fine-tuning and reinforcement learning; not built yet."""
