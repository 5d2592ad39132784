"""What the referee says of one answer."""

from __future__ import annotations

from dataclasses import dataclass

from harness.accuracy import accuracy, meets, within_tolerance_only


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Figures of the referee; None where there is nothing to say, with the reason.

    The first three are proved, as the figures of the priced gap are. Those from `objective` on describe the answer.
    """

    certified_gap: float | None = None
    """(feasible_objective - dual_bound) / max(1, |dual_bound|); a negative one is a contradiction."""

    dual_bound: float | None = None
    """g0 at the dual brought into its intervals, for budgets with negative entries set to 0, less its rounding: a
    proved lower bound on the optimum."""

    feasible_objective: float | None = None
    """c'x of the repaired point, raised by its rounding and by what a violation that remains may be worth: a proved
    upper bound on the optimum."""

    priced_gap: float | None = None
    """Where the answer brought into its polytopes leaves a hard row and scaling does not mend it: (c'x + penalties +
    sum_r |y_r| violation_r - dual_bound) / max(1, |dual_bound|). The optimum may lie above or below its objective.
    Beside a certified gap it says how near the answer itself was."""

    priced_objective: float | None = None
    """The first three terms of priced_gap, raised by their rounding."""

    row_violation: float | None = None
    """Of that point, the largest violation of a hard row over 1 + |the side that is violated|."""

    objective: float | None = None
    """c'x of the answer, with what it pays for leaving rows that have a price."""

    budget_violation: float | None = None
    """The largest violation of a hard row over 1 + |side| of the answer: max_j [(Ax)_j - b_j]+ / (1 + b_j)."""

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
    """The 2-norm of what bringing the dual into its intervals changed, for budgets of its negative part, over 1 +
    ||c||_2. The multipliers of the polytopes' rows are recomputed at their best, so nothing else can be infeasible."""

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

    @property
    def accuracy(self) -> float | None:
        """What a tolerance is held against: the certified gap, or without one the larger of priced gap and violation;
        None where neither is known.
        """
        return accuracy(vars(self))

    def meets(self, tolerance: float) -> bool:
        """Whether the certified gap is within the tolerance, or priced gap and row violation are."""
        return meets(vars(self), tolerance)

    @property
    def within_tolerance_only(self) -> bool:
        """Whether all that is known is a point near the rows, not one within them."""
        return within_tolerance_only(vars(self))
