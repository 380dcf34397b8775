"""1618_B by trying every word on every list of bigrams that some word of three to five letters yields."""

from itertools import pairwise, product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    made = []
    for n in (3, 4, 5):
        words = ["".join(letters) for letters in product("ab", repeat=n)]
        for bigrams in sorted({left for word in words for left in _left(word)}):
            outputs = {word: bigrams in _left(word) for word in words} | {words[0] + "a": False, words[0][1:]: False}
            expected = next(word for word in words if outputs[word])
            made.append((f"1\n{n}\n{' '.join(bigrams)}\n", expected, outputs))
    return made


def _left(word: str) -> list[tuple[str, ...]]:
    """Return what each removal of one bigram leaves."""
    bigrams = [one + other for one, other in pairwise(word)]
    return [tuple(bigrams[:place] + bigrams[place + 1 :]) for place in range(len(bigrams))]
