"""Fine-tuning a model on training data."""
