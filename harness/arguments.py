"""Arguments of `solve` and `certify` that are something else, refused in one line with what to write."""

from __future__ import annotations

from typing import Any

from instances import InputError, MatchingLP
from instances.arguments import require_lp
from instances.words import named


def require_problem(lp: Any, solver_id: Any) -> None:
    """InputError where solve(lp, solver_id) has not a MatchingLP and the text that names a solver, in this order."""
    if isinstance(solver_id, MatchingLP):
        raise InputError("solve: its arguments are swapped: write solve(lp, solver_id)")
    require_lp(lp, "solve")
    if not isinstance(solver_id, str):
        remedy = "write an id that `dualbench solvers` lists, such as 'blockpdhg', or the path of an adapter's .py file"
        raise InputError(f"solve: the second argument is {named(solver_id)}, expected a text: {remedy}")


def require_judged(lp: Any, x: Any, dual: Any) -> None:
    """InputError where certify(lp, x, dual) has not a MatchingLP first, or an answer instead of its arrays."""
    if isinstance(x, MatchingLP) or isinstance(dual, MatchingLP):
        raise InputError("certify: its arguments are swapped: write certify(lp, x, dual)")
    require_lp(lp, "certify")
    for value in (x, dual):
        answer = getattr(value, "answer", value)  # of what solve returned
        if hasattr(answer, "x") and hasattr(answer, "dual"):
            raise InputError(f"certify: {named(value)} is no array: write certify(lp, answer.x, answer.dual)")
