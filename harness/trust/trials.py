"""What the checks of an adapter share: how one is tried, and how a broken promise is told."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from harness.result import Result
from harness.solve import execute
from harness.trust import probes
from harness.trust.probes import Probe
from instances import Kind, MatchingLP, generate, parse_spec
from instances.content import polytope_arrays
from instances.polytopes import polytope_kinds
from solvers import Settings, Solver, Start, Status

#: The certified gap asked for.
TOLERANCE = 1e-4
#: Seconds for one of the tiny instances; a solver without a stopping rule takes them all.
_SECONDS = 1.0
_LARGER = "unit:sources=2000,destinations=40,degree=6,seed={seed},polytope={polytope}"


class NonConformingError(Exception):
    """The adapter breaks a promise; the text says which and how."""


class NotApplicableError(Exception):
    """The adapter does not claim what the check is about."""


class Warned(Exception):  # noqa: N818 - no error: the promise is kept, but a reader should see the numbers
    """Nothing is broken, but the text says what a reader of times should know."""


def attempt(solver: Solver, lp: MatchingLP, *, start: Start | None = None, **settings: Any) -> Result:
    """Execute; whatever the solver raised is what the check has found."""
    result = execute(lp, solver, settings_for(solver, **settings), start=start)
    broken = (Status.ERROR, Status.MEMORY_LIMIT, Status.CRASHED, Status.SKIPPED)
    if result.status in broken and "iteration_limit" not in settings:
        raise NonConformingError(f"{result.status}: {result.reason}")
    return result


def answered(result: Result) -> Any:
    answer = result.answer
    if answer is None or answer.x is None or answer.dual is None:
        raise NonConformingError(f"{result.status} without x or without a dual")
    return answer


def settings_for(solver: Solver, **settings: Any) -> Settings:
    defaults: dict[str, Any] = {"tolerance": TOLERANCE, "time_limit": _SECONDS, "device": solver.devices[0]}
    return Settings(**defaults | settings)


def plainest_kind(solver: Solver) -> Kind:
    """The plainest kind that the solver claims: one without '=' where there is one, the oldest first."""
    return min(solver.polytopes, key=lambda kind: (polytope_kinds()[kind].equality, kind))


def plainest_probe(solver: Solver) -> Probe:
    return probes.known_optimum(plainest_kind(solver))


def larger(solver: Solver, seed: int = 42) -> MatchingLP:
    """An instance that takes a solver more than a moment; those of two seeds have the same shape."""
    name = polytope_kinds()[plainest_kind(solver)].spec_name
    return generate(parse_spec(_LARGER.format(seed=seed, polytope=name)))


def arrays_of(lp: MatchingLP) -> dict[str, npt.NDArray[Any]]:
    """Every array of the instance by name."""
    arrays = {name: getattr(lp, name) for name in ("offsets", "destination", "a", "c", "b")}
    return arrays | polytope_arrays(lp.per_source)


def require(kept: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not kept:
        raise NonConformingError(otherwise)
