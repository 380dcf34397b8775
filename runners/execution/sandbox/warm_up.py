"""A usual program, run in the zygote before anything is confined or forked.

What an interpreter writes on first use (method caches, specialised code, decoders) is then there for every
child, which else would copy the page to write it: some 5 % of a test. The program is ours and reads and
writes memory only; nothing of it is left but that.
"""

import io
import sys

_ROUNDS = 20
_INPUT = b"3\n1 2 3\nx y z\n"
_USUAL = """
import sys
from collections import Counter, defaultdict, deque
def solve():
    n = int(input())
    a = list(map(int, input().split()))
    seen = defaultdict(int)
    for i, x in enumerate(a):
        seen[x] += 1
    best = max(a) + min(a) + sum(a) + len(a)
    b = sorted(a, key=lambda x: -x)
    table = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            table[i][j] = a[i] * a[j] % 7
    queue = deque([1])
    queue.append(2)
    while queue and n > 0:
        queue.popleft()
        n -= 1
    print(best, len({x for x in b}), *b)
    print("YES" if best > 3 else "NO", "".join(map(str, b)), f"{best:.3f}", "%d" % best)
    return Counter(a)
solve()
for line in sys.stdin.read().split():
    pass
"""


def warm_up() -> None:
    """Run the program a few times on streams in memory."""
    code = compile(_USUAL, "usual", "exec")
    real = sys.stdin, sys.stdout
    for _ in range(_ROUNDS):
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(_INPUT)), "utf-8")
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.BytesIO()), "utf-8")
        exec(code, {"__name__": "__main__"})
        sys.stdout.flush()
    sys.stdin, sys.stdout = real
