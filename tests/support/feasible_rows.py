"""Small feasible LPs of the whole class: several families of rows, every kind of row, signs, ragged entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instances import MatchingLP, RaggedRows, Rows
from tests.support.proximal import mixed_lp

#: How the sides of the rows of a family are drawn around the activity of a feasible point.
ROW_KINDS = ("at most", "at least", "equal", "between", "soft below", "soft above", "soft between", "mixed")


#: The families of `general_lp`: one dense row, places, both with signs, a constant coefficient, and a ragged one.
FAMILIES = ("all", "place", "count", "links")


def general_lp(
    seed: int,
    kind: str = "mixed",
    *,
    ragged: bool = True,
    sources: int = 30,
    most_entries: int = 3,
    names: Sequence[str] = FAMILIES,
) -> MatchingLP:
    """Sources as in `mixed_lp`; families: those named, but no ragged one with ragged=False, which has 0 to most_entries
    entries an edge.
    """
    rng = np.random.default_rng((seed, 77))
    base = mixed_lp(seed, sources=sources)
    x = feasible_point(base, rng)
    edges = base.edges
    families: list[Any] = [
        Rows("all", coefficient=rng.normal(0.3, 1, edges), **_sides(kind, rng, 1)),
        Rows("place", row=base.destination, coefficient=rng.normal(0.5, 1, edges), **_sides(kind, rng, 5)),
        Rows("count", row=rng.integers(0, 3, edges), **_sides(kind, rng, 3)),
    ]
    if ragged:
        starts = np.concatenate(([0], np.cumsum(rng.integers(0, most_entries + 1, edges))))
        row = rng.integers(0, 4, int(starts[-1]))
        families.append(
            RaggedRows(
                "links",
                entry_offsets=starts,
                row=row,
                coefficient=rng.uniform(0.2, 1, row.size),
                **_sides(kind, rng, 4),
            )
        )
    return MatchingLP(
        offsets=base.offsets,
        c=base.c,
        polytope=base.polytope,
        rows=[_around(family, x) for family in families if family.name in names],
    )


def feasible_point(lp: MatchingLP, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A point of every polytope: even shares of z within u, less of them where the sum need not be z."""
    limits = lp.per_source.limits()
    degree = np.diff(lp.offsets)
    at_most = np.where(np.isfinite(limits.at_most), limits.at_most, limits.upper * degree)
    share = np.where(limits.equality, 1.0, rng.uniform(0.3, 1, lp.sources))
    return np.repeat(share * np.minimum(at_most / degree, limits.upper), degree)


def _sides(kind: str, rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Offsets of the sides from the activity of the feasible point, and penalties."""
    kinds = rng.choice([k for k in ROW_KINDS if k != "mixed"], rows) if kind == "mixed" else np.full(rows, kind)
    below, above = rng.uniform(0.0, 0.5, (2, rows))
    lower = np.where(np.isin(kinds, ["at most", "soft above"]), -np.inf, -below)
    upper = np.where(np.isin(kinds, ["at least", "soft below"]), np.inf, above)
    equal = kinds == "equal"
    lower[equal] = upper[equal] = 0.0
    soft = np.char.startswith(kinds.astype(str), "soft")
    # A soft side lies where the point leaves it, so that it is not idle.
    shift = np.where(soft, rng.uniform(-1, 1, rows), 0.0)
    price = np.where(soft, rng.uniform(0.1, 2, rows), np.inf)
    penalty = (np.where(np.isfinite(lower), price, np.inf), np.where(np.isfinite(upper), price, np.inf))
    return {"lower": lower + shift, "upper": upper + shift, "penalty": penalty}


def _around(family: Rows | RaggedRows, x: Any) -> Rows | RaggedRows:
    """The family with its sides moved to where the activity of x is."""
    activity = family.activity(x)
    sides = {
        "lower": family.lower + activity,
        "upper": family.upper + activity,
        "penalty": (family.penalty_below, family.penalty_above),
    }
    common: dict[str, Any] = {"row": family.row, "coefficient": family.coefficient, **sides}
    if isinstance(family, RaggedRows):
        return RaggedRows(family.name, entry_offsets=family.entry_offsets, **common)
    return Rows(family.name, **common)
