"""526: probabilities of at most 6 digits after the point."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "n")):
        word = reader.word("p")
        Reader(word, Invalid).decimal(0, 1, "p")
        if len(word.partition(".")[2]) > 6:
            reader.refuse("p has over 6 digits after the point")
    reader.end()
