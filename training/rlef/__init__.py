"""Reinforcement learning with execution feedback (RLEF): the maths, the networks, the updates and the loop."""
