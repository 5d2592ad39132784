"""The instance that this process holds for the children that it forks.

It is no argument and no local variable of a frame that calls an adapter before the adapter is given the instance: code
that runs at the import, in `available` or in the warm-up cannot find it among its callers.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.answers import fingerprint
from instances import MatchingLP

_kept: list[MatchingLP] = []
_prints: list[Mapping[str, int]] = []


def keep(lp: MatchingLP) -> None:
    """Hold `lp`, with all that would else be made again in every child."""
    _kept[:] = [lp]
    _prints[:] = [fingerprint(lp.tightened)]


def instance() -> MatchingLP:
    """The instance as it was made."""
    return _kept[0]


def print_before() -> Mapping[str, int]:
    """The fingerprint of the tightened instance before any solver had it."""
    return _prints[0]
