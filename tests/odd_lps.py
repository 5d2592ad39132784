"""Odd but valid small LPs, the same for the same seed, each with a point that is feasible in exact arithmetic.

The witness gives every source whole multiples of one float32 number, so that the sums of '=' sources are exact in
float64; budgets are the exact loads, times a factor, rounded up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, PerSource
from instances.per_source import Limits, params_of

Float64 = npt.NDArray[np.float64]

#: Kinds of the sources of one LP.
KINDS = ("simplex", "equality", "box", "mixed")
#: How budgets follow from the witness: full rows, nearly full, roomy, limits that never bind, or a mixture.
BUDGETS = ("full", "nearly full", "roomy", "never binds", "mixed")
#: Spread of the magnitudes: all near 1, one power of ten for each array, or one for each source and row.
SCALES = ("plain", "by array", "by entry")
#: Costs: continuous, small whole numbers (ties), all equal, one large common offset, forbidden edges as a large cost.
COSTS = ("continuous", "ties", "equal", "offset", "forbidden")


@dataclass(frozen=True, kw_only=True, eq=False)
class OddLP:
    """An LP, a feasible x[E], and words for what is odd about it."""

    lp: MatchingLP
    witness: Float64
    traits: str


def odd_lp(seed: int, *, largest_power: int = 12, most_sources: int = 12) -> OddLP:
    """The odd LP of `seed`; magnitudes reach 10**largest_power and its inverse."""
    rng = np.random.default_rng([20_11, seed])
    kinds, budgets = rng.choice(KINDS), rng.choice(BUDGETS)
    scales, costs = rng.choice(SCALES), rng.choice(COSTS)
    destinations = int(rng.integers(0, 7)) if rng.random() < 0.9 else 1
    sources = int(rng.integers(0, most_sources + 1)) if rng.random() < 0.95 else 0
    degrees = _degrees(rng, sources, destinations)
    source = np.repeat(np.arange(sources), degrees)
    edges = int(degrees.sum())
    destination = rng.integers(0, max(destinations, 1), edges)  # duplicates occur

    kind = _kind(rng, kinds, sources)
    unit = _magnitudes(rng, scales, sources, largest_power).astype(np.float32).astype(np.float64)
    witness, radius = _witness(rng, kind, degrees, unit)

    coefficient = rng.choice([0.5, 1.0, 1.5], edges) if rng.random() < 0.5 else rng.lognormal(0, 1, edges)
    coefficient = np.ones(edges) if rng.random() < 0.3 else coefficient
    row_scale = _magnitudes(rng, scales, destinations, largest_power)
    a = coefficient * row_scale[destination] * (rng.random(edges) >= rng.choice([0.0, 0.2]))
    c = _costs(rng, str(costs), source, largest_power) * float(_magnitudes(rng, scales, 1, largest_power)[0])
    dtype = rng.choice(["float32", "float64"])
    a = a.astype(dtype)
    c = c.astype(dtype)

    b = _budgets(rng, str(budgets), a, destination, witness, destinations)
    return OddLP(
        lp=MatchingLP(
            offsets=np.concatenate(([0], np.cumsum(degrees))),
            destination=destination,
            a=a,
            c=c,
            b=b,
            polytope=PerSource(kind=kind, radius=radius),
        ),
        witness=witness,
        traits=f"seed {seed}: {kinds} sources, budgets {budgets}, scales {scales}, costs {costs}, {dtype}",
    )


def with_box_cuts(odd: OddLP, seed: int) -> OddLP:
    """The same edges and witness, where the second limit of about half of the sources is drawn as well."""
    rng = np.random.default_rng([20_15, seed])
    lp, limits = odd.lp, odd.lp.per_source.limits()
    source = lp.source_of_edge()
    unit = np.full(lp.sources, np.inf)
    np.minimum.at(unit, source, np.where(odd.witness > 0, odd.witness, np.inf))  # sums of a few are exact
    unit[np.isinf(unit)] = 1.0
    largest = np.zeros(lp.sources)
    np.maximum.at(largest, source, odd.witness)
    sums = np.bincount(source, odd.witness, lp.sources)
    spare = rng.choice([0, 0, 1, 1000], lp.sources) * unit
    cut = rng.random(lp.sources) < 0.5
    after = Limits(
        at_most=np.where(np.isinf(limits.at_most), sums + spare, limits.at_most),
        upper=np.where(np.isinf(limits.upper), largest + spare, limits.upper),
        equality=limits.equality,
    )
    kind = np.where(cut, np.where(limits.equality, Kind.BOX_CUT_EQUALITY, Kind.BOX_CUT), lp.per_source.kind)
    params = params_of(kind.astype(np.uint8), after, 2)
    return OddLP(
        lp=replace(lp, polytope=PerSource(kind=kind.astype(np.uint8), params=params)),
        witness=odd.witness,
        traits=f"{odd.traits}, box-cuts",
    )


def with_upper_of_edges(odd: OddLP, seed: int) -> OddLP:
    """The same edges and witness, where u of about half of the edges that have one is drawn anew."""
    rng = np.random.default_rng([20_31, seed])
    polytopes, upper = odd.lp.per_source, odd.lp.upper_of_edges()
    share = rng.choice([0.0, 0.0, 0.3, 1.0, 1.0, 1.0], odd.lp.edges)
    above = np.where(np.isfinite(upper), upper - odd.witness, 0.0)
    own = np.where(np.isfinite(upper), np.maximum(odd.witness, np.minimum(upper, odd.witness + share * above)), np.inf)
    polytope = PerSource(kind=polytopes.kind, params=polytopes.params, edge_upper=own)
    return OddLP(
        lp=replace(odd.lp, polytope=polytope), witness=odd.witness, traits=f"{odd.traits}, one upper bound an edge"
    )


def infeasible_lp(seed: int) -> MatchingLP:
    """An LP of '=' sources that no x satisfies: a tenth is missing in the budgets, or a source has no edges."""
    rng = np.random.default_rng([20_12, seed])
    sources, destinations = int(rng.integers(1, 8)), int(rng.integers(1, 5))
    degrees = rng.integers(1, 4, sources)
    edges = int(degrees.sum())
    radius = rng.uniform(0.5, 2, sources) * 10.0 ** rng.integers(-6, 7)
    b = rng.dirichlet(np.ones(destinations)) * radius.sum() * 0.9
    if rng.random() < 0.3:
        degrees[rng.integers(sources)] = 0
        edges = int(degrees.sum())
        b = np.full(destinations, 2 * radius.sum())
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        destination=rng.integers(0, destinations, edges),
        a=np.ones(edges),
        c=rng.normal(size=edges),
        b=b,
        polytope=PerSource(kind=np.full(sources, Kind.SIMPLEX_EQUALITY, np.uint8), radius=radius),
    )


def assignment_lp(seed: int, persons: int, degree: int) -> OddLP:
    """Persons and jobs, each exactly one, a = b = 1: every row is full; the witness is one perfect matching."""
    rng = np.random.default_rng([20_13, seed])
    matching = rng.permutation(persons)
    others = rng.integers(0, persons, (persons, degree - 1))
    destination = np.sort(np.column_stack((matching, others)), axis=1)
    witness = np.zeros(destination.shape)
    witness[np.arange(persons), np.argmax(destination == matching[:, None], axis=1)] = 1.0
    return OddLP(
        lp=MatchingLP(
            offsets=np.arange(persons + 1) * degree,
            destination=destination.ravel(),
            a=np.ones(persons * degree),
            c=rng.uniform(0, 1, persons * degree),
            b=np.ones(persons),
            polytope=PerSource(kind=np.full(persons, Kind.SIMPLEX_EQUALITY, np.uint8), radius=np.ones(persons)),
        ),
        witness=witness.ravel(),
        traits=f"seed {seed}: assignment of {persons} persons, degree {degree}",
    )


def transport_lp(seed: int, sources: int, destinations: int, *, whole: bool) -> OddLP:
    """Dense balanced transport: sum z = sum b; supplies are whole numbers, or fractions whose sums agree exactly."""
    rng = np.random.default_rng([20_14, seed])
    unit = 1.0 if whole else float(np.float32(rng.uniform(0.01, 1)))
    shipped = rng.multinomial(40, np.ones(destinations) / destinations, sources) * unit
    return OddLP(
        lp=MatchingLP(
            offsets=np.arange(sources + 1) * destinations,
            destination=np.tile(np.arange(destinations), sources),
            a=np.ones(sources * destinations),
            c=rng.uniform(0, 1, sources * destinations),
            b=shipped.sum(axis=0),
            polytope=PerSource(
                kind=np.full(sources, Kind.SIMPLEX_EQUALITY, np.uint8), radius=np.full(sources, 40 * unit)
            ),
        ),
        witness=shipped.ravel(),
        traits=f"seed {seed}: balanced transport {sources} x {destinations}, unit {unit}",
    )


def full_rows_beside_forbidden_edges(seed: int) -> MatchingLP:
    """Dense, sums and loads of a witness rounded up, a third of the costs forbidden."""
    rng = np.random.default_rng([20_20, seed])
    sources, rows = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    unit = rng.uniform(0.5, 2, (sources, 1)).astype(np.float32).astype(np.float64)
    witness = rng.integers(0, 4, (sources, rows)) + np.eye(sources, rows)  # each row holds something
    coefficient = np.broadcast_to(rng.uniform(0.5, 2, rows).astype(np.float32), (sources, rows)).astype(np.float64)
    cost = np.where(rng.random((sources, rows)) < 0.3, 1e9, rng.normal(size=(sources, rows)))
    loads = [
        sum((Fraction(float(a)) * Fraction(float(x)) for a, x in zip(column, mass, strict=True)), Fraction(0))
        for column, mass in zip(coefficient.T, (witness * unit).T, strict=True)
    ]
    return MatchingLP(
        offsets=np.arange(sources + 1) * rows,
        destination=np.tile(np.arange(rows), sources),
        a=coefficient.ravel(),
        c=cost.ravel(),
        b=np.array([rounded_up(load) for load in loads]),
        polytope=PerSource(kind=np.full(sources, Kind.SIMPLEX_EQUALITY, np.uint8), radius=(witness * unit).sum(axis=1)),
    )


def histograms_beside_forbidden_edges(seed: int, sources: int = 30, rows: int = 20) -> MatchingLP:
    """Dense transport between histograms whose sums are 1 but for rounding, so that budgets may miss 1e-16."""
    rng = np.random.default_rng([20_23, seed])
    masses, budgets = rng.random(sources), rng.random(rows)
    cost = rng.random((sources, rows))
    return MatchingLP(
        offsets=np.arange(sources + 1) * rows,
        destination=np.tile(np.arange(rows), sources),
        a=np.ones(sources * rows),
        c=np.where(rng.random((sources, rows)) < 0.3, 1e9, cost).ravel(),
        b=budgets / budgets.sum(),
        polytope=PerSource(kind=np.full(sources, Kind.SIMPLEX_EQUALITY, np.uint8), radius=masses / masses.sum()),
    )


def _degrees(rng: np.random.Generator, sources: int, destinations: int) -> npt.NDArray[np.int64]:
    """Empty sources, small ones, and at times one with many edges."""
    if destinations == 0:
        return np.zeros(sources, np.int64)
    degrees = rng.integers(int(rng.integers(0, 2)), 5, sources)
    if sources and rng.random() < 0.1:
        degrees[rng.integers(sources)] = 60
    return degrees


def _kind(rng: np.random.Generator, kinds: str, sources: int) -> npt.NDArray[np.uint8]:
    if kinds == "mixed":
        return rng.integers(0, 3, sources).astype(np.uint8)
    one = {"simplex": Kind.SIMPLEX, "equality": Kind.SIMPLEX_EQUALITY, "box": Kind.BOX}[kinds]
    return np.full(sources, one, np.uint8)


def _magnitudes(rng: np.random.Generator, scales: str, size: int, largest_power: int) -> Float64:
    if scales == "plain":
        return rng.uniform(0.5, 2, size)
    powers = rng.uniform(-largest_power, largest_power, size if scales == "by entry" else 1)
    return np.broadcast_to(10.0**powers, (size,)).copy()


def _witness(
    rng: np.random.Generator, kind: npt.NDArray[np.uint8], degrees: npt.NDArray[np.int64], unit: Float64
) -> tuple[Float64, Float64]:
    """x[E] in whole multiples of the source's unit, and the radius[I] that it fills or keeps below."""
    radius, parts = unit.copy(), []
    for i, degree in enumerate(degrees):
        counts = rng.integers(0, 4, degree) * rng.integers(0, 2, degree)
        total = int(counts.sum()) if kind[i] != Kind.BOX else int(counts.max(initial=0))
        spare = 0 if kind[i] == Kind.SIMPLEX_EQUALITY else int(rng.choice([0, 0, 1, 1000]))
        radius[i] = unit[i] * (total + spare)
        parts.append(counts * unit[i])
    return np.concatenate([np.zeros(0), *parts]), radius


def _costs(rng: np.random.Generator, costs: str, source: npt.NDArray[np.int64], largest_power: int) -> Float64:
    edges = source.size
    if costs == "ties":
        return rng.integers(-2, 2, edges).astype(np.float64)
    if costs == "equal":
        return np.full(edges, rng.choice([-1.0, 0.0, 0.1]))
    found = rng.normal(-1, 1, edges)
    if costs == "offset":
        found = found + 1e8
    if costs == "forbidden":
        found = np.where(rng.random(edges) < 0.3, 10.0 ** min(largest_power, 9), found)
    return found


def _budgets(
    rng: np.random.Generator,
    budgets: str,
    a: npt.NDArray[np.float32] | npt.NDArray[np.float64],
    destination: npt.NDArray[np.int64],
    witness: Float64,
    destinations: int,
) -> Float64:
    factors = {"full": 1.0, "nearly full": 1 + 1e-9, "roomy": 1.5, "never binds": 1e9}
    loads = [Fraction(0)] * destinations
    for j, coefficient, value in zip(destination, a, witness, strict=True):
        loads[j] += Fraction(float(coefficient)) * Fraction(float(value))
    chosen = rng.choice(list(factors), destinations) if budgets == "mixed" else np.full(destinations, budgets)
    return np.array([rounded_up(load) * factors[str(name)] for load, name in zip(loads, chosen, strict=True)])


def rounded_up(value: Fraction) -> float:
    """The smallest float64 that is not below `value`."""
    found = float(value)
    return found if Fraction(found) >= value else math.nextafter(found, math.inf)
