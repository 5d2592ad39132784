"""Odd LPs with coupling rows of any form: the edges, sources and witness of tests/odd_lps.py under other families."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from instances import MatchingLP, RaggedRows, Rows
from tests.odd_lps import OddLP, odd_lp, rounded_up, with_box_cuts

#: How the sides of a row lie around the witness. `packing` holds for all rows of an LP, the rest row by row.
KINDS = ("at most", "at least", "between", "equal", "soft", "free of the witness")


def odd_rows(seed: int, *, largest_power: int = 6, most_sources: int = 8) -> OddLP:
    """The LP of `seed`. Its witness satisfies all hard rows in exact arithmetic."""
    rng = np.random.default_rng([20_26, seed])
    odd = odd_lp(seed, largest_power=largest_power, most_sources=most_sources)
    odd = with_box_cuts(odd, seed) if seed % 2 else odd
    packing = bool(rng.random() < 0.3)
    families = [_family(rng, k, odd.lp.edges, packing=packing) for k in range(int(rng.integers(1, 4)))]
    rows = [_with_sides(rng, family, odd, packing=packing) for family in families]
    lp = MatchingLP(offsets=odd.lp.offsets, c=odd.lp.c, polytope=odd.lp.polytope, rows=rows)
    return OddLP(lp=lp, witness=odd.witness, traits=f"{odd.traits}, {'packing' if packing else 'any'} rows")


def _family(rng: np.random.Generator, k: int, edges: int, *, packing: bool) -> Rows | RaggedRows:
    """A family whose sides come later."""
    whole = rng.random() < 0.4
    count = int(rng.integers(1, 4))
    form = rng.choice(["dense", "aligned", "constant", "ragged"])
    if form == "ragged":
        starts = np.concatenate(([0], np.cumsum(rng.integers(0, 4, edges))))
        a = _coefficients(rng, int(starts[-1]), whole=whole, packing=packing)
        row = rng.integers(0, count, a.size)
        return RaggedRows(f"links {k}", entry_offsets=starts, row=row, coefficient=a, upper=np.zeros(count))
    if form == "dense":
        return Rows(f"all {k}", coefficient=_coefficients(rng, edges, whole=whole, packing=packing), upper=[0.0])
    row = rng.integers(0, count, edges)
    if form == "constant":
        return Rows(f"count {k}", row=row, upper=np.zeros(count))
    a = _coefficients(rng, edges, whole=whole, packing=packing)
    return Rows(f"place {k}", row=row, coefficient=a, upper=np.zeros(count))


def _coefficients(rng: np.random.Generator, size: int, *, whole: bool, packing: bool) -> Any:
    values = rng.integers(-2, 4, size).astype(np.float64) if whole else rng.normal(0.5, 1, size)
    values = np.abs(values) if packing else values
    return (values * 10.0 ** rng.integers(-3, 4)).astype(rng.choice(["float32", "float64"]))


def _with_sides(rng: np.random.Generator, family: Rows | RaggedRows, odd: OddLP, *, packing: bool) -> Any:
    activity = [Fraction(0)] * family.rows
    for edge, row, a in zip(*family.entries(odd.lp.edges), strict=True):
        activity[int(row)] += Fraction(float(a)) * Fraction(float(odd.witness[int(edge)]))
    kinds = rng.choice(["at most", "soft"] if packing else KINDS, family.rows)
    lower = np.full(family.rows, -np.inf)
    upper = np.full(family.rows, np.inf)
    below, above = np.full(family.rows, np.inf), np.full(family.rows, np.inf)
    for r, (kind, value) in enumerate(zip(kinds, activity, strict=True)):
        high, low = rounded_up(value), -rounded_up(-value)
        size = float(rng.choice([0.0, 1.0])) * (abs(high) + float(rng.choice([0.0, 1.0])))
        if kind in ("at most", "between"):
            upper[r] = rounded_up(Fraction(high) + Fraction(size))
        if kind in ("at least", "between"):
            lower[r] = -rounded_up(-(Fraction(low) - Fraction(size)))
        if kind == "equal":
            lower[r], upper[r] = low, high  # equal where the activity of the witness is a float64
        if kind in ("soft", "free of the witness"):
            lower[r], upper[r] = sorted(float(high) + rng.normal(size=2) * (1 + size))
            below[r], above[r] = rng.choice([0.0, 0.1, 3.0], 2) if kind == "soft" else rng.uniform(0, 5, 2)
    common: dict[str, Any] = {"row": family.row, "coefficient": family.coefficient}
    common |= {"lower": lower, "upper": upper, "penalty": (below, above)}
    if math.inf in upper and -math.inf in lower and not np.isfinite(np.concatenate((lower, upper))).any():
        common |= {"upper": np.full(family.rows, 1e9)}
    if isinstance(family, RaggedRows):
        return RaggedRows(family.name, entry_offsets=family.entry_offsets, **common)
    return Rows(family.name, **common)
