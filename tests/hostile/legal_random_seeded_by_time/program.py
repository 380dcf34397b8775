# Shuffles by the time of day, then sorts.
import random
import time

random.seed(time.time())
values = list(map(int, input().split()))
random.shuffle(values)
print(*sorted(values))
