"""What is asked of an instance before any layout: its limits tightened, and the answers that need no solving."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, RaggedRows, Rows
from instances.polytopes import polytope_kinds
from instances.tighten import tighten
from solvers.base import Answer, Status
from solvers.engine.arrays import edge_arrays
from solvers.engine.context import SolveContext
from solvers.engine.row_bounds import row_bounds


def tightened(lp: MatchingLP, context: SolveContext) -> MatchingLP:
    """`lp`, or the part of it that this rank holds, with every limit cut to what can be used of it."""
    return lp.tightened if context.group.size == 1 else tighten(lp, context.group.sum)


def is_repairable(lp: MatchingLP, context: SolveContext, *, has_equality: bool) -> bool:
    """Whether scaling edges down makes any x of C feasible, on all ranks: there are no '=' sources, and every hard side
    is a ceiling >= 0 over coefficients >= 0. x = 0 is feasible then.
    """
    own = not has_equality and (lp.is_short_form or all(_is_packing(family) for family in lp.rows))
    return not context.anywhere(not own)


def _is_packing(family: Rows | RaggedRows) -> bool:
    """Whether the hard sides of a family are ceilings that less x never violates."""
    hard_below = np.isfinite(family.lower) & np.isinf(family.penalty_below)
    hard_above = np.isfinite(family.upper) & np.isinf(family.penalty_above)
    if hard_below.any() or (family.upper[hard_above] < 0).any():
        return False
    return not hard_above.any() or bool(np.min(family.coefficient, initial=0.0) >= 0)


def serves_equalities(lp: MatchingLP) -> bool:
    """Whether there are '=' sources among these."""
    kinds = edge_arrays(lp).kind
    return any(bool((kinds == kind).any()) for kind, of_kind in polytope_kinds().items() if of_kind.equality)


def answer_without_edges(lp: MatchingLP) -> Answer:
    """The one point of an instance without edges, with the duals that price what soft rows ask of it."""
    limits = lp.per_source.limits()
    if (limits.equality & (limits.at_most > 0)).any():
        return infeasible_answer(lp)
    rows = row_bounds(lp)
    violated = (rows.below(np.zeros(lp.row_count)) > 0) * -1.0 + (rows.above(np.zeros(lp.row_count)) > 0)
    ray = rows.within_hard_sides(violated)
    if ray.any():
        return infeasible_answer(lp, ray=ray, words="a row without edges wants load, or less than none")
    dual = np.where(violated > 0, rows.largest_dual, np.where(violated < 0, rows.least_dual, 0.0))
    return Answer(x=np.zeros(0), dual=dual, status=Status.SOLVED, raw_status="no edges", iterations=0)


def infeasible_answer(
    lp: MatchingLP,
    *,
    ray: npt.NDArray[np.float64] | None = None,
    words: str = "the edges of an '=' source cannot take its sum",
) -> Answer:
    """The answer where the edges of a '=' source cannot take z together, which any ray proves; or for another reason,
    with its ray.
    """
    return Answer(
        x=None,
        dual=None,
        status=Status.INFEASIBLE,
        raw_status=words,
        ray=np.zeros(lp.row_count) if ray is None else ray,
    )
