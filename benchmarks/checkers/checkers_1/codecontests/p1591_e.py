"""1591_E: per query, any number that may stand k-th when those with l or more occurrences are sorted by them."""

import re
from collections.abc import Iterator

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 10**6
_Query = tuple[int, int, int]


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    all_vertices = all_queries = 0
    for _ in range(reader.integer(1, _MOST, "t")):
        n, q = reader.integers(2, 1, _MOST, "n or q")
        all_vertices += n
        all_queries += q
        if all_vertices > _MOST:
            reader.refuse(f"the sum of n over all test cases is over {_MOST}")
        if all_queries > _MOST:
            reader.refuse(f"the sum of q over all test cases is over {_MOST}")
        reader.integers(n, 1, n, "a")
        parents = [0, 0, *reader.integers(n - 1, 1, n, "p")]
        if len(_top_down(parents)) < n:
            reader.refuse("the parents p define no tree with the root 1")
        reader.integers(3 * q, 1, n, "v, l or k")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = (int(word.group()) for word in re.finditer(r"\S+", text)), Reader(output)
    for case in range(1, next(given) + 1):
        _check_case(given, reader, f"of case {case}")
    reader.end()


def _check_case(given: Iterator[int], reader: Reader, case: str) -> None:
    n, q = next(given), next(given)
    values = [0, *(next(given) for _ in range(n))]
    parents = [0, 0, *(next(given) for _ in range(n - 1))]
    queries: list[_Query] = [(next(given), next(given), next(given)) for _ in range(q)]
    answers = []
    for number in range(1, q + 1):
        answers.append(reader.integer(-1, n, f"answer {number} {case}"))
        if answers[-1] == 0:
            reader.refuse(f"answer {number} {case} is 0, which is on no vertex")
    wrong = _first_wrong(values, parents, queries, answers)
    if wrong:
        reader.refuse(f"answer {wrong} {case} cannot be {answers[wrong - 1]}")


def _first_wrong(values: list[int], parents: list[int], queries: list[_Query], answers: list[int]) -> int:
    """Return the number of the first answer met that is wrong, or 0; the tree is walked with the counts of the path."""
    n = len(values) - 1
    children = _children(parents)
    asked: dict[int, list[int]] = {}
    for number, (vertex, _, _) in enumerate(queries):
        asked.setdefault(vertex, []).append(number)
    counts = [0] * (n + 1)
    ascending = [0] * n
    starts = [0] + [n] * (n + 1)  # starts[c]: the first place in ascending of a count of c or more
    stack = [1]
    while stack:
        vertex = stack.pop()
        value = values[abs(vertex)]
        count = counts[value]
        if vertex < 0:
            ascending[starts[count]] = count - 1
            starts[count] += 1
            counts[value] = count - 1
            continue
        counts[value] = count + 1
        starts[count + 1] -= 1
        ascending[starts[count + 1]] = count + 1
        for number in asked.get(vertex, ()):
            _, least, k = queries[number]
            place = starts[least] + k - 1
            answer = answers[number]
            is_right = answer == -1 if place >= n else answer > 0 and counts[answer] == ascending[place]
            if not is_right:
                return number + 1
        stack.append(-vertex)
        stack.extend(children[vertex])
    return 0


def _top_down(parents: list[int]) -> list[int]:
    """Return the vertices that hang on vertex 1, parents first."""
    children = _children(parents)
    found = [1]
    for vertex in found:
        found.extend(children[vertex])
    return found


def _children(parents: list[int]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in parents]
    for vertex in range(2, len(parents)):
        children[parents[vertex]].append(vertex)
    return children
