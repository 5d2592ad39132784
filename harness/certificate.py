"""What the referee says of one answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Figures of the referee; None where there is nothing to say, with the reason.

    The first six are proved and speak of the dual and of the repaired point. The others describe the unrepaired answer.
    """

    certified_gap: float | None = None
    """(feasible_objective - dual_bound) / max(1, |dual_bound|); a negative one is a contradiction."""

    dual_bound: float | None = None
    """g0 at the dual with negative entries set to 0, less its rounding: a proved lower bound on the optimum."""

    feasible_objective: float | None = None
    """c'x of the repaired point, raised by its rounding and by what a violation that remains may be worth: a proved
    upper bound on the optimum."""

    objective: float | None = None
    """c'x of the answer."""

    budget_violation: float | None = None
    """max_j [(Ax)_j - b_j]+ / (1 + b_j) of the answer."""

    polytope_violation: float | None = None
    """The largest distance of the answer outside a row or a bound of a polytope, absolute."""

    primal_residual: float | None = None
    """The 2-norm of both violations over 1 + the 2-norm of both right-hand sides, as PDLP and cuPDLP define it on the
    explicit form."""

    budget_residual: float | None = None
    """The 2-norm of the violations of budgets over 1 + ||b||_2."""

    polytope_residual: float | None = None
    """The 2-norm of the violations of polytopes over 1 + the 2-norm of their right-hand sides."""

    dual_residual: float | None = None
    """||[lambda]-||_2 / (1 + ||c||_2). The multipliers of the polytopes' rows are recomputed at their best, so a
    negative price is the only infeasibility that a dual can have."""

    relative_gap: float | None = None
    """|p - d| / (1 + |p| + |d|) with p = objective and d = dual_bound: the gap that PDLP tests."""

    bound_error: float | None = None
    """How far dual_bound may be from the exact number."""

    objective_error: float | None = None
    """How far feasible_objective may be from the exact number."""

    feasible_violation: float | None = None
    """The largest relative violation of a budget that remains in the repaired point; 0.0 where a feasible point lies
    within the rounding of its sums."""

    reason: str = ""
    """Why a figure is missing."""
