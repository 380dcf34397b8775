# Uses each of the usual modules once.
import bisect
import heapq
import itertools
import operator
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal, getcontext
from fractions import Fraction
from functools import cmp_to_key, reduce
from statistics import median

values = list(map(int, input().split()))
heapq.heapify(values)
getcontext().prec = 30
print(heapq.heappop(values), bisect.bisect([1, 2, 3], 2), reduce(operator.mul, values, 1))
print(Fraction(1, 3) + Fraction(1, 6), Decimal(1) / Decimal(3), list(itertools.accumulate([1, 2, 3])))
print(Counter("abca").most_common(1), deque([1, 2]).pop(), median([1, 2, 3]), defaultdict(int)["x"])
print(sorted([3, 1, 2], key=cmp_to_key(lambda a, b: b - a)), *OrderedDict(a=1))
