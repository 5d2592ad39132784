"""Which solver a problem gets, and why."""

from __future__ import annotations

from dataclasses import dataclass

from harness.answers import availability
from instances import InputError, MatchingLP
from solvers import Solver, get_solver

AUTO = "auto"
#: What `auto` tries, in this order.
_IN_ORDER = {
    "blockpdhg": "it takes rows of every kind and stops at a gap that it proves",
    "ortools-pdlp": "a first-order solver of general LPs",
    "scipy-highs-ds": "a simplex solver of general LPs",
}
_MEASURE = "dualbench run --problem measures all solvers on it"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A solver, by the id or path that `harness.solve` takes, and the reason for taking it."""

    name: str
    solver: Solver
    why: str


def choose(lp: MatchingLP, wanted: str = AUTO) -> Choice:
    """The solver that `wanted` names, or with `auto` ours, or the first other that can take `lp` where ours cannot.

    Raises InputError for an unknown id, and for a solver that cannot take `lp`.
    """
    if wanted != AUTO:
        solver = get_solver(wanted)
        if against := solver.unsuited(lp):
            raise InputError(f"{against}: choose another solver, or auto")
        return Choice(name=wanted, solver=solver, why="asked for")

    refused: list[str] = []
    for name, why in _IN_ORDER.items():
        solver = get_solver(name)
        against = _against(solver, lp)
        if not against:
            return Choice(name=name, solver=solver, why="; ".join([*refused, f"auto: {why}", _MEASURE]))
        refused.append(f"{name} cannot take it: {against}")
    return Choice(name=name, solver=solver, why="; ".join(refused))  # what it answers becomes the status


def _against(solver: Solver, lp: MatchingLP) -> str:
    """Why `solver` cannot take `lp` here; "" where it can."""
    able = availability(solver)
    return solver.unsuited(lp) if able.ok else f"{able.reason}; {able.remedy}"
