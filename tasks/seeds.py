"""The seed of each call to the model, so that a dialogue can be asked again as it was."""

import hashlib
import json


def dialogue_seed(run_seed: int, problem: str, sample: int, turn: int, call: int = 0) -> int:
    """Return the seed of one call: blake2b(run seed, problem, sample, turn, call) mod 2**31."""
    text = json.dumps([run_seed, problem, sample, turn, call])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % 2**31
