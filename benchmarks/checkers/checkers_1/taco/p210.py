"""210: an undirected graph of 3 to 100 vertices with exactly k triangles."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _triangles(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    asked = _triangles(Reader(text, Invalid))
    reader = Reader(output)
    n = reader.integer(3, 100, "n")
    lines = [reader.string("01", n, n, f"line {number}") for number in range(1, n + 1)]
    reader.end()
    for row in range(n):
        if lines[row][row] != "0":
            reader.refuse(f"vertex {row + 1} has a loop")
        for column in range(row):
            if lines[row][column] != lines[column][row]:
                reader.refuse(f"the edge of {row + 1} and {column + 1} goes one way only")
    masks = [int(line, 2) for line in lines]
    pairs = [(row, column) for row in range(n) for column in range(row) if lines[row][column] == "1"]
    count = sum((masks[row] & masks[column]).bit_count() for row, column in pairs) // 3
    if count != asked:
        reader.refuse(f"the graph has {count} triangles, not {asked}")


def _triangles(reader: Reader) -> int:
    return reader.integer(1, 10**5, "k")
