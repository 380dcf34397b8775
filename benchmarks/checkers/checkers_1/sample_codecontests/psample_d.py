"""sample_D: bulbs around a circle, neighbours differing by 1, with a given sum; or NO where there are none."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 100, "t")):
        reader.integer(3, 1000, "n")
        reader.integer(1, 1000, "m")
        reader.integer(0, 10**6, "s")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    for lawn in range(1, given.integer(1, 100, "t") + 1):
        n, m, s = given.integers(3, 0, 10**6)
        said = reader.word(f"the answer to lawn {lawn}", ("yes", "no"), any_case=True)
        if said != ("yes" if _exists(n, m, s) else "no"):
            reader.refuse(f"lawn {lawn}: the answer is {said}, which is wrong")
        if said == "yes":
            beds = reader.integers(n, 0, m, f"a bed of lawn {lawn}")
            if sum(beds) != s:
                reader.refuse(f"lawn {lawn}: {sum(beds)} bulbs are planted, not {s}")
            if any(abs(beds[place] - beds[place - 1]) != 1 for place in range(n)):
                reader.refuse(f"lawn {lawn}: two neighbouring beds do not differ by 1")
    reader.end()


def _exists(n: int, m: int, s: int) -> bool:
    """Return whether beds exist: 0 1 0 1 ... is the least, any low bed can be lifted by 2, and parities alternate."""
    half = n // 2
    return n % 2 == 0 and half <= s <= n * m - half and (s - half) % 2 == 0
