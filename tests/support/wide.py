"""Random small LPs of the whole class, with a point that satisfies them, and LPs whose rows contradict each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, PerSource, RaggedRows, Rows
from instances.polytopes import polytope_kinds

Float64 = npt.NDArray[np.float64]
#: Prices of a unit outside a side: hard, or cheap enough that some sides are left.
_PRICES = (np.inf, np.inf, 0.3, 2.0)


def wide_lp(seed: int) -> MatchingLP:
    """One to three families of every form over sources of every kind; a hidden x satisfies every side."""
    rng = np.random.default_rng([8, seed])
    degrees = rng.integers(1, 5, int(rng.integers(2, 9)))
    offsets = np.concatenate(([0], np.cumsum(degrees)))
    polytope, x = _sources(rng, degrees)
    forms = rng.choice(("aligned", "one row", "ragged"), int(rng.integers(1, 4)))
    return MatchingLP(
        offsets=offsets,
        c=rng.normal(-0.3, 1.0, x.size),
        polytope=polytope,
        rows=[_family(rng, f"{form} {k}", x) for k, form in enumerate(forms)],
    )


def contradicting_lp(seed: int) -> MatchingLP:
    """A wide LP with a hard row that asks for more than all sources together can put on it."""
    rng = np.random.default_rng([9, seed])
    lp = wide_lp(seed)
    limits = lp.per_source.limits()
    source = lp.source_of_edge()
    most = np.minimum(limits.at_most, limits.upper * lp.degrees())
    coefficient = rng.uniform(0.5, 2.0, lp.edges)
    largest = np.zeros(lp.sources)
    np.maximum.at(largest, source, coefficient)
    floor = Rows("too much", coefficient=coefficient, lower=1.05 * float(most @ largest) + 0.1)
    return MatchingLP(offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=[*lp.rows, floor])


def _sources(rng: np.random.Generator, degrees: npt.NDArray[np.int64]) -> tuple[PerSource, Float64]:
    """Polytopes of all kinds, and an x within them."""
    kind = rng.choice([int(one) for one in Kind], degrees.size).astype(np.uint8)
    z = rng.uniform(0.5, 2.0, degrees.size)
    u = z / degrees * rng.uniform(1.2, 3.0, degrees.size)  # room for the whole sum
    box = kind == Kind.BOX
    cut = np.isin(kind, (Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY))
    params = np.stack((np.where(box, u, z), np.where(cut, u, 0.0)))

    equality = np.array([polytope_kinds()[Kind(int(one))].equality for one in kind])
    share = np.where(equality, 1.0, rng.uniform(0.2, 1.0, degrees.size))
    return PerSource(kind=kind, params=params), np.repeat(share * z / degrees, degrees)


def _family(rng: np.random.Generator, name: str, x: Float64) -> Rows | RaggedRows:
    """Sides around the activity of x: '<=', '>=', '=' and both, hard or at a price."""
    rows = 1 if name.startswith("one row") else int(rng.integers(1, 5))
    fields: dict[str, Any] = {"upper": np.full(rows, np.inf)}
    count = x.size
    if name.startswith("ragged"):
        fields["entry_offsets"] = np.concatenate(([0], np.cumsum(rng.integers(0, 4, x.size))))
        count = int(fields["entry_offsets"][-1])
    if not name.startswith("one row"):
        fields["row"] = rng.integers(0, rows, count)
    signs = rng.choice((1.0, 1.0, -1.0), count) if rng.random() < 0.5 else np.ones(count)
    fields["coefficient"] = signs * rng.uniform(0.2, 2.0, count) if rng.random() < 0.8 else 1.0
    form: Any = RaggedRows if name.startswith("ragged") else Rows
    activity = form(name, **fields).activity(x)

    room = rng.uniform(0.0, 0.5, (2, rows)) * (rng.random(rows) < 0.7)  # without room: '=', or a side that x is on
    sides = rng.integers(0, 3, rows)
    fields["lower"] = np.where(sides != 0, activity - room[0], -np.inf)
    fields["upper"] = np.where(sides != 1, activity + room[1], np.inf)
    fields["penalty"] = (rng.choice(_PRICES, rows), rng.choice(_PRICES, rows))
    return form(name, **fields)


def bound(lp: MatchingLP, dual: Float64) -> float:
    """The lower bound of a dual brought into its intervals, from the definition."""
    sides = {
        name: np.concatenate([getattr(family, name) for family in lp.rows])
        for name in ("lower", "upper", "penalty_below", "penalty_above")
    }
    most = np.where(np.isfinite(sides["upper"]), sides["penalty_above"], 0.0)
    least = np.where(np.isfinite(sides["lower"]), -sides["penalty_below"], 0.0)
    y = np.clip(dual, least, most)
    return least_cost(lp, lp.c + transposed(lp, y)) - worth(sides, y)


def ray_value(lp: MatchingLP, ray: Float64) -> float:
    """What the ray proves: above 0, that no x exists. A ray on a soft side, or on none, is wrong."""
    sides = {name: np.concatenate([getattr(family, name) for family in lp.rows]) for name in ("lower", "upper")}
    hard = {
        name: np.concatenate([np.isinf(getattr(family, name)) for family in lp.rows])
        for name in ("penalty_below", "penalty_above")
    }
    assert not (ray[~(hard["penalty_above"] & np.isfinite(sides["upper"]))] > 0).any()
    assert not (ray[~(hard["penalty_below"] & np.isfinite(sides["lower"]))] < 0).any()
    largest = float(np.abs(ray).max(initial=0.0)) or 1.0
    return least_cost(lp, transposed(lp, ray / largest)) - worth(sides, ray / largest)


def worth(sides: dict[str, Float64], y: Float64) -> float:
    """upper'y+ - lower'y-."""
    above, below = y > 0, y < 0
    return float(sides["upper"][above] @ y[above] + sides["lower"][below] @ y[below])


def transposed(lp: MatchingLP, y: Float64) -> Float64:
    """A'y, float64[E]."""
    total = np.zeros(lp.edges)
    for family in lp.rows:
        edge, row, coefficient = family.entries(lp.edges)
        np.add.at(total, edge, coefficient * lp.split(y)[family.name][row])
    return total


def least_cost(lp: MatchingLP, q: Float64) -> float:
    """The sum over sources of min q_i'x over C_i: the cheapest edges first."""
    limits = lp.per_source.limits()
    total = 0.0
    for i in range(lp.sources):
        left = limits.at_most[i]
        for cost in np.sort(q[lp.offsets[i] : lp.offsets[i + 1]]):
            if cost >= 0 and not limits.equality[i]:
                break
            amount = min(left, limits.upper[i])
            total += amount * cost
            left -= amount
    return float(total)
