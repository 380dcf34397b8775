"""What the model is told, turn by turn: tasks, prompts, feedback, code extraction, trajectories."""
