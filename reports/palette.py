"""Colour, marker and dash of every competitor: fixed per solver, safe for colour-blind readers, in light and dark."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

#: (on white, on a dark page), searched for: any two of a page differ by 12 or more in CIEDE2000, also to readers who
#: confuse red and green (Machado, Oliveira and Fernandes, 2009, severity 1), by 19 to others; each has a contrast of
#: 3:1 or more with its page.
COLOURS = (
    ("#0a73a7", "#1dbdff"),  # blue
    ("#ff4274", "#fd9379"),  # red
    ("#9e68ff", "#8970ff"),  # violet
    ("#479d80", "#1fffc2"),  # green
    ("#533e4d", "#6c667a"),  # grey
    ("#a69500", "#f1ec22"),  # yellow
    ("#3500ee", "#a825af"),  # indigo
    ("#996305", "#885f25"),  # brown
    ("#28a2b7", "#03f4ff"),  # cyan
    ("#3b4402", "#819600"),  # olive
    ("#9f3744", "#b1696f"),  # brick
    ("#1d3f74", "#a7a1b7"),  # navy
)
MARKERS = "oDs^vXPp<*>d"
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
KNOWN = ("blockpdhg", "dualip", "dualip-restarted", "ortools-pdlp", "scipy-highs-ds", "scipy-highs-ipm")


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one competitor is drawn; `slot` is its place in COLOURS."""

    slot: int
    marker: str
    dash: str | tuple[float, tuple[float, ...]]

    number: int = -1
    """From 0 on, its place among the competitors of the page, by which the page's script hides it."""

    @property
    def colour(self) -> str:
        return COLOURS[self.slot][0]


def styles(solver_of: Mapping[str, str]) -> dict[str, Style]:
    """Style by competitor, in alphabetical order.

    Competitors of one solver share its colour, and so do solvers where there are more than colours: marker and dash
    tell these apart.
    """
    slots = _slots(sorted(set(solver_of.values())))
    seen: Counter[int] = Counter()
    styles_of = {}
    for competitor in sorted(solver_of):
        slot = slots[solver_of[competitor]]
        turn = slot + seen[slot]
        seen[slot] += 1
        styles_of[competitor] = Style(slot=slot, marker=MARKERS[turn % len(MARKERS)], dash=DASHES[turn % len(DASHES)])
    return styles_of


def _slots(solvers: list[str]) -> dict[str, int]:
    """Known solvers have their own colour.

    Another one has the colour that its name hashes to, or the next of those used least, those of absent known solvers
    last.
    """
    slots = {solver: KNOWN.index(solver) for solver in solvers if solver in KNOWN}
    others = range(len(KNOWN), len(COLOURS))
    for solver in solvers:
        if solver in slots:
            continue
        used = Counter(slots.values())
        preferred = zlib.crc32(solver.encode()) % len(others)
        turns = [*others[preferred:], *others[:preferred], *range(len(KNOWN))]
        slots[solver] = min(turns, key=lambda slot: used[slot])
    return slots


def css_variables() -> tuple[str, str]:
    """Declarations of --c0, --c1, ... for a light and for a dark page."""
    light, dark = ("".join(f"--c{slot}:{pair[k]};" for slot, pair in enumerate(COLOURS)) for k in (0, 1))
    return light, dark
