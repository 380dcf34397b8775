"""1598_G: two substrings of s, the second right behind the first, that add up to x."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_LONGEST = 5 * 10**5
_LONGEST_SUM = 2 * 10**5
_DIGITS = "123456789"
_PRIME = 2**61 - 1
_PIECE = 18


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    digits = reader.string(_DIGITS, 2, _LONGEST, "s")
    total = reader.string(_DIGITS, 1, _LONGEST_SUM, "x")
    if total == "1":
        reader.refuse("x is 1, not 2 or more")
    reader.end()
    if not _has_answer(digits, total):
        reader.refuse("no two adjacent substrings of s add up to x")


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    digits, total = given.word("s"), given.word("x")
    first, last = reader.integer(1, len(digits), "l_1"), reader.integer(1, len(digits), "r_1")
    next_first, next_last = reader.integer(1, len(digits), "l_2"), reader.integer(1, len(digits), "r_2")
    reader.end()
    if first > last or next_first > next_last:
        reader.refuse("a term ends before it begins")
    if next_first != last + 1:
        reader.refuse(f"the second term begins at {next_first}, not right behind {last}")
    if not _adds_up(digits[first - 1 : last], digits[last:next_last], total):
        reader.refuse(f"the terms from {first} to {last} and from {next_first} to {next_last} do not add up to x")


def _adds_up(first: str, second: str, total: str) -> bool:
    """Return whether the decimal numbers add up, piece by piece from the right."""
    if max(len(first), len(second)) > len(total):
        return False
    carry = 0
    for end in range(0, len(total), _PIECE):
        carry += _piece(first, end) + _piece(second, end)
        carry, rest = divmod(carry, 10**_PIECE)
        if rest != _piece(total, end):
            return False
    return carry == 0


def _piece(digits: str, end: int) -> int:
    stop = len(digits) - end
    return int(digits[max(0, stop - _PIECE) : stop]) if stop > 0 else 0


def _has_answer(digits: str, total: str) -> bool:
    """Try the lengths that two numbers without a digit 0 can have if their sum is one: few for each position.

    Either both are one shorter than the sum, or one is as long, and how far it agrees with the sum leaves two
    lengths to the other.
    """
    size, length = len(digits), len(total)
    prefixes, powers = [0], [1]
    for digit in digits:
        prefixes.append((prefixes[-1] * 10 + int(digit)) % _PRIME)
        powers.append(powers[-1] * 10 % _PRIME)
    aim = 0
    for digit in total:
        aim = (aim * 10 + int(digit)) % _PRIME

    def fits(start: int, middle: int, stop: int) -> bool:
        if not 0 <= start < middle < stop <= size:
            return False
        both = prefixes[middle] + prefixes[stop]
        both -= prefixes[start] * powers[middle - start] + prefixes[middle] * powers[stop - middle]
        return (both - aim) % _PRIME == 0 and _adds_up(digits[start:middle], digits[middle:stop], total)

    agreements = _agreements(total, digits)
    for start in range(size):
        if fits(start, start + length - 1, start + 2 * length - 2):
            return True
        stop = start + length
        for other in (length - agreements[start], length - agreements[start] - 1):
            if fits(start, stop, stop + other) or fits(start - other, start, stop):
                return True
    return False


def _agreements(pattern: str, text: str) -> list[int]:
    """Return for each position of the text how many characters agree with the pattern from there on."""
    joined = f"{pattern} {text}"
    lengths = [0] * len(joined)
    left = right = 0
    for place in range(1, len(joined)):
        length = min(right - place, lengths[place - left]) if place < right else 0
        while place + length < len(joined) and joined[length] == joined[place + length]:
            length += 1
        lengths[place] = length
        if place + length > right:
            left, right = place, place + length
    return lengths[len(pattern) + 1 :]
