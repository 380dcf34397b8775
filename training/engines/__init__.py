"""Adapters that give engines of others our environment, our rewards and our maths."""
