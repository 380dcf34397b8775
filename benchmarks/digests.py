"""What is kept of a result that is too long to be kept: the digest and the size of its canonical form.

>>> read_digest(values.dumps_or_digest([0] * 40_000_000))
Digest(sha256='...', size=80000001, is_floats=False)

values.py says what the canonical form is; that of equal values is the same. The judged program's process makes the
digest of its own result. It may lie, as it may about the result, but it knows no digest that is expected.
"""

import re
from dataclasses import dataclass

from turnwise.records.problem import Comparison, MatchRule

_FORM = re.compile(r'\{"h": \["([0-9a-f]{64})", "([0-9]{1,20})", "(|floats)"\]\}')
_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Digest:
    """``is_floats``: the value is a list or tuple of floats alone, which evalplus compares with a tolerance."""

    sha256: str
    size: int
    is_floats: bool

    def equals(self, other: "Digest | None") -> bool:
        """Return whether both are of equal values."""
        return other is not None and (self.sha256, self.size) == (other.sha256, other.size)


def read_digest(text: str | bytes) -> Digest | None:
    """Return the digest that stands for a result, an expected or a hostile one, or None if ``text`` is none."""
    if len(text) > _LONGEST or text[:5] not in ('{"h":', b'{"h":'):
        return None
    found = _FORM.fullmatch(text if isinstance(text, str) else text.decode("latin-1"))
    return Digest(found[1], int(found[2]), bool(found[3])) if found else None


def allows_digests(rule: MatchRule) -> bool:
    """Return whether a result is right if and only if it equals the expected one (or is one of floats alone)."""
    return rule.comparison is Comparison.EVALPLUS and not rule.oracle and rule.tolerance == 0
