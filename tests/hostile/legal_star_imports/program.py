# Takes everything from everywhere.
from bisect import *
from collections import *
from functools import *
from heapq import *
from itertools import *
from math import *
from operator import *
from random import *
from string import *
from sys import *
from typing import *

print(gcd(*map(int, stdin.readline().split())), len(list(permutations("abc"))), Counter("aab")["a"])
