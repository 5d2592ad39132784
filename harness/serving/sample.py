"""Prices from a share of the sources, and what the others get at them. I sources, E edges, J rows of the short form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.decisions.serving import decide
from harness.referee import certify
from harness.rounding import Float64
from harness.solve import solve
from instances import InputError, MatchingLP, PerSource, activities
from instances.evaluate import linear_cost


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What the sources outside a sample got; with a sample of all, the sources themselves."""

    instance: str

    share: float
    """Of the sources that is in the sample."""

    sources: int
    """In the sample."""

    seconds: float
    """Prepare and run of the sample's LP."""

    objective: float
    """c'x of the decisions over the bound of the LP of these sources; above 1 where budgets are overrun."""

    overrun: float
    """What all rows together are beyond their budgets, over the sum of the budgets."""

    rows_over: float
    """The share of the rows that are beyond their budget by more than 1 %."""

    lost: float
    """What is lost of the bound where the overrun is cut back to the budgets: the certified gap of the decisions."""


def served_from_sample(
    lp: MatchingLP, share: float, solver: str, *, name: str = "", seed: int = 0, threads: int = 1
) -> Serving:
    """Solve a sample of the sources with its share of the budgets to 1e-4, and decide all others by its prices.

    Raises InputError for an LP beyond the short form, and where the sample has no prices.
    """
    if not lp.is_short_form:
        raise InputError(f"budgets are scaled with the sample, the instance has {lp.beyond_short_form}")
    order = np.random.default_rng(seed).permutation(lp.sources)
    count = max(1, round(share * lp.sources))
    sample = np.sort(order[:count])
    others = sample if count == lp.sources else np.sort(order[count:])
    known = solve(part_of(lp, sample), solver, threads=threads, quiet=True)
    rest = part_of(lp, others)
    whole = solve(rest, solver, threads=threads, quiet=True)
    if known.proved_dual is None or whole.certificate is None or whole.certificate.dual_bound is None:
        raise InputError(f"{solver} proved no bound of the sample or of the others: {known.reason or whole.reason}")

    x = decide(known.proved_dual, rest)
    bound = whole.certificate.dual_bound
    load = activities(rest, x)
    over = np.maximum(load - rest.b, 0.0)
    cut = certify(rest, x, whole.proved_dual, threads=threads)
    return Serving(
        instance=name,
        share=share,
        sources=count,
        seconds=(known.seconds.prepare or 0.0) + (known.seconds.run or 0.0),
        objective=linear_cost(rest, x) / bound,
        overrun=float(over.sum() / rest.b.sum()),
        rows_over=float((over > 0.01 * rest.b).mean()),
        lost=float("nan") if cut.certified_gap is None else cut.certified_gap,
    )


def part_of(lp: MatchingLP, sources: npt.NDArray[np.int64]) -> MatchingLP:
    """The short form of these sources alone, in rising order, under their share of the budgets."""
    degrees = lp.degrees()
    chosen = np.zeros(lp.sources, dtype=np.bool_)
    chosen[sources] = True
    edges = np.flatnonzero(np.repeat(chosen, degrees))
    polytopes = lp.per_source
    budgets: Float64 = lp.b * (sources.size / lp.sources)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees[sources]))),
        c=lp.c[edges],
        polytope=PerSource(kind=polytopes.kind[sources], params=np.ascontiguousarray(polytopes.params[:, sources])),
        destination=lp.destination[edges],
        a=lp.a[edges],
        b=budgets,
    )
