"""One family of rows in words: how many rows, over which edges, between which limits, at which price."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances import RaggedRows, Rows

Float64 = npt.NDArray[np.float64]


def rows_in_words(family: Rows | RaggedRows) -> str:
    """Such as "campaign: 3 rows, each edge in one of them, coefficients from 0.5 to 2; at most 10 to 20, hard"."""
    rows = f"{family.rows:,} row{'' if family.rows == 1 else 's'}"
    sides = (
        *_side("at least", family.lower, family.penalty_below),
        *_side("at most", family.upper, family.penalty_above),
    )
    limits = "; ".join(sides) or "without limits"
    return f"{family.name}: {rows}, {_members(family)}, {_coefficients(family)}; {limits}"


def _members(family: Rows | RaggedRows) -> str:
    if isinstance(family, RaggedRows):
        counts = np.diff(family.entry_offsets)
        return f"each edge in {_range(counts)} of them" if counts.size else "no edges"
    if family.row is None:
        return "all edges in it"
    return "each edge in one of them"


def _coefficients(family: Rows | RaggedRows) -> str:
    values = np.atleast_1d(family.coefficient)
    return f"coefficients {_range(values)}" if values.size else "no coefficients"


def _side(words: str, limit: Float64, penalty: Float64) -> list[str]:
    """The limits of this side, and what leaving them costs; nothing where no row has one."""
    limited = np.isfinite(limit)
    if not limited.any():
        return []
    some = "" if limited.all() else f" in {int(limited.sum()):,} of them"
    hard = np.isinf(penalty[limited])
    if hard.all():
        price = "hard"
    else:
        price = f"each unit outside costs {_range(penalty[limited][~hard])}"
        price += f", {int(hard.sum()):,} hard" if hard.any() else ""
    return [f"{words} {_range(limit[limited])}{some}, {price}"]


def _range(values: npt.NDArray[np.generic]) -> str:
    least, most = float(np.min(values)), float(np.max(values))
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"
