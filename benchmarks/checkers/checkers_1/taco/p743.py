"""743: people, a probability of two digits after the point, and seconds."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(1, 2000, "n")
    word = reader.word("p")
    Reader(word, Invalid).decimal(0, 1, "p")
    if len(word.partition(".")[2]) != 2:
        reader.refuse("p has not two digits after the point")
    reader.integer(1, 2000, "t")
    reader.end()
