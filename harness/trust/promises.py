"""What every adapter promises (solvers/base.py), as checks that try it on the adapter itself.

Each check is a function of this file named check_..., or is the known optimum of one kind of polytope. It returns a
line for the reader, raises NonConformingError with what is wrong, or NotApplicableError where the adapter does not
claim what the check is about.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from harness.clock import Stopwatch
from harness.solve import execute
from harness.trust import probes
from harness.trust.probes import Probe
from harness.trust.process_state import ProcessState, native_footprint
from harness.trust.starting import begins_from_its_own_answer, certifies_from_nonsense
from harness.trust.trials import (
    TOLERANCE,
    NonConformingError,
    NotApplicableError,
    answered,
    arrays_of,
    attempt,
    larger,
    plainest_kind,
    plainest_probe,
    require,
    settings_for,
)
from instances import Kind
from instances.polytopes import polytope_kinds
from solvers import Availability, OptionError, Solver, Status, registry
from solvers.card import DeclarationError, declaration, make_card

#: The certified gap that counts as near for a solver that makes no claim.
_NEAR = 0.1
#: How far a dual may be from the known one: of a solver that claims, and of one that does not.
_DUAL_CLOSE = 0.02
_DUAL_NEAR = 0.3
#: Seconds past a time limit, for solvers that look at the clock between iterations only.
_GRACE = 2.0


def check_available(solver: Solver) -> str:
    """Cheap, honest, and with a reason and a remedy where it says no."""
    stopwatch = Stopwatch()
    able = solver.available()
    seconds = stopwatch.lap()
    require(isinstance(able, Availability), f"available() returned {type(able).__name__}, not Availability")
    require(seconds < 1.0, f"available() took {seconds:.1f} s: it must not import the solver")
    if not able.ok:
        require(bool(able.reason and able.remedy), "not available, without a reason or a remedy")
        raise NonConformingError(f"not available, nothing else can be checked: {able.reason}; {able.remedy}")
    require(bool(able.version), "available, but without a version")
    return f"version {able.version}"


def check_declaration(solver: Solver) -> str:
    """The class variables that the contract asks for, and an id of its own."""
    try:
        card = make_card(declaration(solver), Availability(ok=True))
    except DeclarationError as error:
        raise NonConformingError(str(error)) from error
    require(bool(card.title and card.citation), "title or citation is empty")
    require(card.id == card.id.lower(), f"id {card.id!r}: use lower-case-words")
    ours = registry().get(card.id)
    require(ours is None or type(ours) is type(solver), f"id {card.id!r} is that of a solver of dualbench")
    fields = dataclasses.fields(solver.Options)
    missing = [f.name for f in fields if f.default is dataclasses.MISSING]
    require(not missing, f"options without a default: {', '.join(missing)}")
    return f"{len(fields)} options, polytopes {', '.join(sorted(k.name for k in solver.polytopes))}"


def check_unknown_option(solver: Solver) -> str:
    """An unknown option is an error that names it."""
    try:
        execute(plainest_probe(solver).lp, solver, settings_for(solver, options={"no_such_option": 1}))
    except OptionError as error:
        require("no_such_option" in str(error), f"the error does not name the option: {error}")
        return str(error)
    raise NonConformingError("an unknown option was accepted in silence")


def check_several_kinds(solver: Solver) -> str:
    """Every kind that the solver claims in one instance."""
    if len(solver.polytopes) < 2:
        raise NotApplicableError("claims one kind only")
    return _solves(solver, probes.several_kinds(sorted(solver.polytopes)))


def check_row_kinds(solver: Solver) -> str:
    """Each kind of row that it claims is solved, or certified where it claims no tolerance; the others are refused."""
    taken = []
    for kind, lp in probes.with_rows(plainest_kind(solver)).items():
        if not lp.row_kinds <= solver.rows:
            require(bool(solver.unsuited(lp)), f"does not claim {kind}, but unsuited() says nothing")
            continue
        require(not solver.unsuited(lp), f"claims {kind}, but does not take them: {solver.unsuited(lp)}")
        result = attempt(solver, lp)
        require(result.status is not Status.INACCURATE, f"a false claim with {kind}: {result.reason}")
        certificate = result.certificate
        require(certificate is not None and certificate.dual_bound is not None, f"{kind}: {result.status}, no bound")
        taken.append(str(kind))
    if not taken:
        raise NotApplicableError("claims one '<=' family only")
    return ", ".join(taken)


def check_upper_of_edges(solver: Solver) -> str:
    """Upper bounds that differ from edge to edge of a source are solved, or refused before they are tried."""
    limited = solver.polytopes & {Kind.BOX, Kind.BOX_CUT}
    if not limited:
        raise NotApplicableError("claims no '<=' sources with limits of their edges")
    probe = probes.with_upper_of_edges(max(limited))
    if solver.upper_of_edges:
        return _solves(solver, probe)
    require(bool(solver.unsuited(probe.lp)), "does not claim upper bounds of edges, but unsuited() says nothing")
    raise NotApplicableError(solver.unsuited(probe.lp))


def check_radii_and_float32(solver: Solver) -> str:
    """Radii that are not 1, budgets and prices of another size, float32 data."""
    return _solves(solver, probes.twice_as_large(plainest_kind(solver)))


def check_empty_sources_and_rows(solver: Solver) -> str:
    """Sources without edges and budget rows without edges."""
    kind = plainest_kind(solver)
    if polytope_kinds()[kind].equality:
        raise NotApplicableError("an empty '=' source has no feasible x")
    return _solves(solver, probes.with_gaps(kind))


def check_infeasible(solver: Solver) -> str:
    """An infeasible instance of each kind of '=' sources ends, and not as solved."""
    equalities = [kind for kind in sorted(solver.polytopes) if polytope_kinds()[kind].equality]
    if not equalities:
        raise NotApplicableError("claims no '=' sources")
    results = [attempt(solver, probes.infeasible(kind), iteration_limit=20_000) for kind in equalities]
    for result in results:
        require(result.status not in (Status.SOLVED, Status.INACCURATE), f"claims to have solved it: {result.status}")
    return ", ".join(result.status for result in results)


def check_time_limit(solver: Solver) -> str:
    """A run ends soon after its time limit."""
    limit = 0.05
    result = attempt(solver, larger(solver), tolerance=1e-9, time_limit=limit)
    seconds = result.seconds.run or 0.0
    require(seconds < limit + _GRACE, f"ran {seconds:.1f} s with a time limit of {limit} s")
    return f"{result.status} after {seconds:.2f} s of {limit} s"


def check_iteration_limit(solver: Solver) -> str:
    """An iteration limit is respected, or said to have been reached."""
    limit = 3
    result = attempt(solver, larger(solver), tolerance=1e-9, time_limit=20.0, iteration_limit=limit)
    iterations = None if result.answer is None else result.answer.iterations
    respected = iterations is not None and iterations <= limit
    said = f"{result.status} after {iterations} iterations with a limit of {limit}"
    require(respected or result.status is Status.ITERATION_LIMIT, said)
    return said


def check_repeatable(solver: Solver) -> str:
    """The same answer twice on one thread, bit for bit."""
    one, two = (answered(attempt(solver, larger(solver), tolerance=1e-2, time_limit=20.0)) for _ in range(2))
    for name in ("x", "dual"):
        first = getattr(one, name)
        second = getattr(two, name)
        if not np.array_equal(first, second):
            raise NonConformingError(f"{name} differs from run to run by up to {np.abs(first - second).max():.1e}")
    return f"{one.iterations} iterations"


def check_warm_start(solver: Solver) -> str:
    """From its own answer it ends within a few iterations, and from nonsense with an answer that is certified."""
    if not solver.warm_starts:
        raise NotApplicableError("takes no start")
    said = begins_from_its_own_answer(solver)
    certifies_from_nonsense(solver)
    return said


def check_instance_unchanged(solver: Solver) -> str:
    """The instance is read only; the next solver gets the same one."""
    lp = plainest_probe(solver).lp
    before = {name: array.copy() for name, array in arrays_of(lp).items()}
    attempt(solver, lp)
    changed = [name for name, array in arrays_of(lp).items() if not np.array_equal(array, before[name])]
    require(not changed, f"the solver wrote into {', '.join(changed)}")
    return "every array as before"


def check_process_state(solver: Solver) -> str:
    """No global state left behind: a first run may import, from then on everything stays as it was put."""
    lp = plainest_probe(solver).lp
    before = ProcessState.now()
    attempt(solver, lp)
    before.restore()

    before = ProcessState.now()  # torch may be loaded now; what the first run left is put back, so it shows again
    attempt(solver, lp)
    left = before.differences(ProcessState.now())

    threads, files = native_footprint()
    attempt(solver, lp)
    before.restore()
    more_threads, more_files = _footprint_when_stable(threads, files)

    if more_threads > threads:
        left.append(f"native threads grew from {threads} to {more_threads}")
    if more_files > files:
        left.append(f"open files grew from {files} to {more_files}")
    require(not left, "; ".join(left))
    return "as before"


def _footprint_when_stable(threads: int, files: int) -> tuple[int, int]:
    """The footprint once it is as small as before, or after a second: a pool ends its threads in the background."""
    for _ in range(20):
        footprint = native_footprint()
        if footprint[0] <= threads and footprint[1] <= files:
            break
        time.sleep(0.05)
    return footprint


def _known_optimum(solver: Solver, kind: Kind) -> str:
    probe = probes.known_optimum(kind)
    if kind in solver.polytopes:
        return _solves(solver, probe)
    require(bool(solver.unsuited(probe.lp)), f"does not claim {kind.name}, but unsuited() says nothing")
    raise NotApplicableError(solver.unsuited(probe.lp))


def _solves(solver: Solver, probe: Probe) -> str:
    """Solve, compare with the known optimum and with the known dual, which tells its sign and scale."""
    reason = solver.unsuited(probe.lp)
    if reason:
        raise NotApplicableError(reason)
    result = attempt(solver, probe.lp)
    answer = answered(result)
    certificate = result.certificate
    require(result.status is not Status.INACCURATE, f"a false claim: {result.reason}")

    claims = result.status is Status.SOLVED
    assert certificate is not None
    gap = certificate.accuracy
    require(gap is not None and gap <= (TOLERANCE if claims else _NEAR), f"{result.status}, certified gap {gap}")

    priced = (
        np.bincount(probe.lp.destination, minlength=probe.lp.destinations) > 0
    )  # any price of an empty row is right
    error = np.abs(answer.dual - np.array(probe.dual))[priced].max()
    close = _DUAL_CLOSE if claims else _DUAL_NEAR
    require(error <= close, f"dual {np.round(answer.dual, 4).tolist()}, expected {list(probe.dual)}")
    return f"{result.status}, certified gap {gap:.1e}, dual within {error:.1e}"


#: The checks by name, in the order of this file, and the known optimum and duals of each kind of polytope.
CHECKS: dict[str, Callable[[Solver], str]] = {
    **{name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")},
    **{kind.name.lower(): partial(_known_optimum, kind=kind) for kind in Kind},
}
