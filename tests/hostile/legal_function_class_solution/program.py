# Keeps state in its object, which must be new for each call.
from typing import List


class Solution:
    def __init__(self):
        self.seen = []

    def f(self, values: List[int]) -> int:
        self.seen += values
        return len(self.seen)
