# Sums all numbers there are.
import itertools

sum(itertools.repeat(1))
