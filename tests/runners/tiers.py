"""Executors of each isolation tier for tests; where a tier is not to be had the test skips, but never in CI."""

import os
from functools import cache

import pytest

from turnwise.errors import InfrastructureError
from turnwise.runners.execution.hardened import TIERS, HardenedExecutor

__all__ = ["TIERS", "executor_in"]


def executor_in(tier: str) -> HardenedExecutor:
    """Return a new executor of ``tier``; skips the test with the reason if this machine has none."""
    reason = _reason_against(tier)
    if reason:
        pytest.skip(f"tier {tier} is not to be had here: {reason}")
    return HardenedExecutor(tier=tier)


@cache
def _reason_against(tier: str) -> str:
    try:
        HardenedExecutor(tier=tier).close()
    except InfrastructureError as error:
        if os.environ.get("CI"):
            raise
        return str(error)
    return ""
