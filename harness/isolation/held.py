"""The instance that this process holds for the children that it forks.

It is no argument and no local variable of a frame in which code of an adapter runs before its time: an adapter that is
imported, asked whether it is available or warmed up finds none by looking at its callers.
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
