"""What every adapter promises (solvers/base.py), as checks that try it on the adapter itself.

Each check is a function of this file named check_...; it returns a line for the reader, raises NonConformingError with
what is wrong, or NotApplicableError where the adapter does not claim what the check is about.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.clock import Stopwatch
from harness.solve import Result, execute
from harness.trust import probes
from harness.trust.probes import Probe
from harness.trust.process_state import ProcessState, native_footprint
from instances import Kind, MatchingLP, generate, parse_spec
from solvers import Availability, OptionError, Settings, Solver, Status

#: The certified gap asked for, and what counts as near for a solver that makes no claim.
_TOLERANCE, _NEAR = 1e-4, 0.1
#: How far a dual may be from the known one: of a solver that claims, and of one that does not.
_DUAL_CLOSE, _DUAL_NEAR = 0.02, 0.3
#: Seconds for one of the tiny instances; a solver without a stopping rule takes them all.
_SECONDS = 1.0
#: Seconds past a time limit, for solvers that look at the clock between iterations only.
_GRACE = 2.0
_LARGER = "unit:sources=2000,destinations=40,degree=6,seed=42,polytope="
_SPEC_NAMES = {Kind.SIMPLEX: "simplex", Kind.BOX: "box", Kind.SIMPLEX_EQUALITY: "simplex-eq"}


class NonConformingError(Exception):
    """The adapter breaks a promise; the text says which and how."""


class NotApplicableError(Exception):
    """The adapter does not claim what the check is about."""


def check_available(solver: Solver) -> str:
    """Cheap, honest, and with a reason and a remedy where it says no."""
    stopwatch = Stopwatch()
    found = solver.available()
    seconds = stopwatch.lap()
    _require(isinstance(found, Availability), f"available() returned {type(found).__name__}, not Availability")
    _require(seconds < 1.0, f"available() took {seconds:.1f} s: it must not import the solver")
    if not found.ok:
        _require(bool(found.reason and found.remedy), "not available, without a reason or a remedy")
        raise NonConformingError(f"not available, nothing else can be checked: {found.reason}; {found.remedy}")
    _require(bool(found.version), "available, but without a version")
    return f"version {found.version}"


def check_declaration(solver: Solver) -> str:
    """The class variables that the contract asks for."""
    for name in ("id", "title", "citation"):
        _require(isinstance(getattr(solver, name, None), str) and getattr(solver, name), f"{name} is not a text")
    _require(solver.id == solver.id.strip().lower() and " " not in solver.id, f"id {solver.id!r}: use lower-case-words")
    _require(bool(solver.devices) and set(solver.devices) <= {"cpu", "cuda"}, f"devices {solver.devices!r}")
    _require(getattr(solver, "bytes_per_edge", -1.0) >= 0, "bytes_per_edge is missing or negative")
    _require(bool(solver.polytopes) and solver.polytopes <= set(Kind), f"polytopes {solver.polytopes!r}")
    fields = dataclasses.fields(solver.Options)
    missing = [f.name for f in fields if f.default is dataclasses.MISSING]
    _require(not missing, f"options without a default: {', '.join(missing)}")
    return f"{len(fields)} options, polytopes {', '.join(sorted(k.name for k in solver.polytopes))}"


def check_unknown_option(solver: Solver) -> str:
    """An unknown option is an error that names it."""
    try:
        execute(_probe(solver).lp, solver, _settings(solver, options={"no_such_option": 1}))
    except OptionError as error:
        _require("no_such_option" in str(error), f"the error does not name the option: {error}")
        return str(error)
    raise NonConformingError("an unknown option was accepted in silence")


def check_simplex(solver: Solver) -> str:
    """The known optimum and duals with '<=' sources."""
    return _known_optimum(solver, Kind.SIMPLEX)


def check_simplex_equality(solver: Solver) -> str:
    """The known optimum and duals with '=' sources."""
    return _known_optimum(solver, Kind.SIMPLEX_EQUALITY)


def check_box(solver: Solver) -> str:
    """The known optimum and duals with box sources."""
    return _known_optimum(solver, Kind.BOX)


def check_several_kinds(solver: Solver) -> str:
    """Every kind that the solver claims in one instance."""
    if len(solver.polytopes) < 2:
        raise NotApplicableError("claims one kind only")
    return _solves(solver, probes.several_kinds(sorted(solver.polytopes)))


def check_radii_and_float32(solver: Solver) -> str:
    """Radii that are not 1, budgets and prices of another size, float32 data."""
    return _solves(solver, probes.twice_as_large(_kind(solver)))


def check_empty_sources_and_rows(solver: Solver) -> str:
    """Sources without edges and budget rows without edges."""
    kind = _kind(solver)
    if kind is Kind.SIMPLEX_EQUALITY:
        raise NotApplicableError("an empty '=' source has no feasible x")
    return _solves(solver, probes.with_gaps(kind))


def check_infeasible(solver: Solver) -> str:
    """An infeasible instance ends, and not as solved."""
    if Kind.SIMPLEX_EQUALITY not in solver.polytopes:
        raise NotApplicableError("claims no '=' sources")
    result = _run(solver, probes.infeasible(), iteration_limit=20_000)
    _require(result.status not in (Status.SOLVED, Status.INACCURATE), f"claims to have solved it: {result.status}")
    return result.status


def check_time_limit(solver: Solver) -> str:
    """A run ends soon after its time limit."""
    limit = 0.05
    result = _run(solver, _larger(solver), tolerance=1e-9, time_limit=limit)
    seconds = result.seconds.run or 0.0
    _require(seconds < limit + _GRACE, f"ran {seconds:.1f} s with a time limit of {limit} s")
    return f"{result.status} after {seconds:.2f} s of {limit} s"


def check_iteration_limit(solver: Solver) -> str:
    """An iteration limit is respected, or said to have been reached."""
    limit = 3
    result = _run(solver, _larger(solver), tolerance=1e-9, time_limit=20.0, iteration_limit=limit)
    iterations = None if result.answer is None else result.answer.iterations
    respected = iterations is not None and iterations <= limit
    said = f"{result.status} after {iterations} iterations with a limit of {limit}"
    _require(respected or result.status is Status.ITERATION_LIMIT, said)
    return said


def check_repeatable(solver: Solver) -> str:
    """The same answer twice on one thread, bit for bit."""
    one, two = (_answered(_run(solver, _larger(solver), tolerance=1e-2, time_limit=20.0)) for _ in range(2))
    for name in ("x", "dual"):
        first, second = getattr(one, name), getattr(two, name)
        if not np.array_equal(first, second):
            raise NonConformingError(f"{name} differs from run to run by up to {np.abs(first - second).max():.1e}")
    return f"{one.iterations} iterations"


def check_instance_unchanged(solver: Solver) -> str:
    """The instance is read only; the next solver gets the same one."""
    lp = _probe(solver).lp
    names = ("offsets", "destination", "a", "c", "b")
    before = [getattr(lp, name).copy() for name in names]
    _run(solver, lp)
    changed = [name for name, kept in zip(names, before, strict=True) if not np.array_equal(getattr(lp, name), kept)]
    _require(not changed, f"the solver wrote into {', '.join(changed)}")
    return "every array as before"


def check_process_state(solver: Solver) -> str:
    """No global state left behind: a first run may import, from then on everything stays as it was put."""
    lp = _probe(solver).lp
    before = ProcessState.now()
    _run(solver, lp)
    before.restore()
    before = ProcessState.now()  # torch may be loaded now; what the first run left is put back, so it shows again
    _run(solver, lp)
    left = before.differences(ProcessState.now())
    threads, files = native_footprint()
    _run(solver, lp)
    before.restore()
    more_threads, more_files = _settled(threads, files)
    if more_threads > threads:
        left.append(f"native threads grew from {threads} to {more_threads}")
    if more_files > files:
        left.append(f"open files grew from {files} to {more_files}")
    _require(not left, "; ".join(left))
    return "as before"


def _settled(threads: int, files: int) -> tuple[int, int]:
    """The footprint once it is as small as before, or after a second: a pool ends its threads in the background."""
    for _ in range(20):
        found = native_footprint()
        if found[0] <= threads and found[1] <= files:
            break
        time.sleep(0.05)
    return found


def _known_optimum(solver: Solver, kind: Kind) -> str:
    probe = probes.known_optimum(kind)
    if kind in solver.polytopes:
        return _solves(solver, probe)
    _require(bool(solver.unsuited(probe.lp)), f"does not claim {kind.name}, but unsuited() says nothing")
    raise NotApplicableError(solver.unsuited(probe.lp))


def _solves(solver: Solver, probe: Probe) -> str:
    """Solve, compare with the known optimum and with the known dual, which tells its sign and scale."""
    reason = solver.unsuited(probe.lp)
    if reason:
        raise NotApplicableError(reason)
    result = _run(solver, probe.lp)
    answer, certificate = _answered(result), result.certificate
    _require(result.status is not Status.INACCURATE, f"a false claim: {result.reason}")
    claims = result.status is Status.SOLVED
    assert certificate is not None
    gap = certificate.certified_gap
    _require(gap is not None and gap <= (_TOLERANCE if claims else _NEAR), f"{result.status}, certified gap {gap}")
    priced = (
        np.bincount(probe.lp.destination, minlength=probe.lp.destinations) > 0
    )  # any price of an empty row is right
    error = np.abs(answer.dual - np.array(probe.dual))[priced].max()
    close = _DUAL_CLOSE if claims else _DUAL_NEAR
    _require(error <= close, f"dual {np.round(answer.dual, 4).tolist()}, expected {list(probe.dual)}")
    return f"{result.status}, certified gap {gap:.1e}, dual within {error:.1e}"


def _run(solver: Solver, lp: MatchingLP, **settings: Any) -> Result:
    """Execute; whatever the solver raised is what the check has found."""
    result = execute(lp, solver, _settings(solver, **settings))
    broken = (Status.ERROR, Status.MEMORY_LIMIT, Status.CRASHED, Status.SKIPPED)
    if result.status in broken and "iteration_limit" not in settings:
        raise NonConformingError(f"{result.status}: {result.reason}")
    return result


def _answered(result: Result) -> Any:
    answer = result.answer
    if answer is None or answer.x is None or answer.dual is None:
        raise NonConformingError(f"{result.status} without x or without a dual")
    return answer


def _settings(solver: Solver, **settings: Any) -> Settings:
    defaults: dict[str, Any] = {"tolerance": _TOLERANCE, "time_limit": _SECONDS, "device": solver.devices[0]}
    return Settings(**defaults | settings)


def _kind(solver: Solver) -> Kind:
    """The plainest kind that the solver claims."""
    return next(kind for kind in (Kind.SIMPLEX, Kind.BOX, Kind.SIMPLEX_EQUALITY) if kind in solver.polytopes)


def _probe(solver: Solver) -> Probe:
    return probes.known_optimum(_kind(solver))


def _larger(solver: Solver) -> MatchingLP:
    return generate(parse_spec(_LARGER + _SPEC_NAMES[_kind(solver)]))


def _require(kept: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not kept:
        raise NonConformingError(otherwise)


#: The checks by name, in the order of this file.
CHECKS: dict[str, Callable[[Solver], str]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
