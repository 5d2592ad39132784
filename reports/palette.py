"""Colour, marker and dash of every competitor: fixed per solver, safe for colour-blind readers, in light and dark."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

#: (on white, on a dark page), searched for: any two differ by 11 or more in CIELAB, also to readers who confuse red and
#: green (Machado, Oliveira and Fernandes, 2009, severity 1), and each has a contrast of 3:1 or more with its page.
COLOURS = (
    ("#146acc", "#73c2fc"),  # blue
    ("#c2615d", "#f87e20"),  # red
    ("#a1659f", "#bc5eb4"),  # mauve
    ("#144c38", "#478484"),  # dark green
    ("#59626d", "#aab3be"),  # grey
    ("#a19406", "#da843e"),  # olive
    ("#5d2c7e", "#9089ff"),  # violet
    ("#9b7a35", "#c17d6c"),  # tan
    ("#0057a3", "#82afd2"),  # navy
    ("#695a25", "#b5e43b"),  # brown
    ("#67031b", "#fa4a95"),  # crimson
    ("#2b2f36", "#dfe3e8"),  # ink
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
    """Style by competitor, in alphabetical order; competitors of one solver share its colour and differ in dashes."""
    slots = _slots(sorted(set(solver_of.values())))
    seen: dict[str, int] = {}
    styles_of = {}
    for competitor in sorted(solver_of):
        solver = solver_of[competitor]
        turn = seen[solver] = seen.get(solver, -1) + 1
        styles_of[competitor] = Style(
            slot=slots[solver],
            marker=MARKERS[(slots[solver] + turn) % len(MARKERS)],
            dash=DASHES[turn % len(DASHES)],
        )
    return styles_of


def _slots(solvers: list[str]) -> dict[str, int]:
    """Known solvers have their own colour; another one has the colour its name hashes to, or the next free one."""
    slots = {solver: KNOWN.index(solver) for solver in solvers if solver in KNOWN}
    others = range(len(KNOWN), len(COLOURS))
    for solver in solvers:
        if solver in slots:
            continue
        preferred = zlib.crc32(solver.encode()) % len(others)
        turns = [others[(preferred + k) % len(others)] for k in range(len(others))]
        slots[solver] = next((slot for slot in turns if slot not in slots.values()), turns[0])
    return slots


def css_variables() -> tuple[str, str]:
    """Declarations of --c0, --c1, ... for a light and for a dark page."""
    light, dark = ("".join(f"--c{slot}:{pair[k]};" for slot, pair in enumerate(COLOURS)) for k in (0, 1))
    return light, dark
