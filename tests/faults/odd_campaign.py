"""Solve odd but valid LPs with our own solvers and hold every word of the answer against exact arithmetic.

    python -m tests.faults.odd_campaign FIRST LAST SECONDS

prints one JSON line a fault, as it is found, and at the end one with the counts. The LP of seed s is solved by the
combination s of solver, kernel and dtype, twice where s is a multiple of _AGAIN, so a range of seeds takes all of them
in turn.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from harness.bound import proves_infeasible
from harness.referee import certify
from harness.repair import repaired_point
from harness.result import Result
from harness.solve import solve
from instances import MatchingLP
from solvers import Status
from tests import exact
from tests.odd_lps import OddLP, infeasible_lp, odd_lp

SOLVERS = ("blockpdhg", "dualip", "dualip-restarted")
KERNELS: tuple[dict[str, Any], ...] = ({}, {"kernel": "reference"}, {"memory": "disk"})
COMBINATIONS = tuple(product(SOLVERS, KERNELS, ("float32", "float64")))
TOLERANCES = (1e-2, 1e-4, 1e-6, 1e-8)
_AGAIN = 10
_INFEASIBLE = 11
#: What a repaired point may violate, relative to a right-hand side: the rounding of its sums.
_ROUNDING = 1e-9


def main() -> None:
    first, last, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    counts: Counter[str] = Counter()
    for seed in range(first, last):
        sys.stderr.write(f"seed {seed}\n")  # the last one tells where a crash came from
        sys.stderr.flush()
        case = Case(seed)
        try:
            status, faults = case.tried(seconds)
        except Exception as error:  # noqa: BLE001 - whatever is raised is a fault to report
            status, faults = "raised", [f"{type(error).__name__}: {error}"]
        counts[status] += 1
        for fault in faults:
            tell({"case": str(case), "status": status, "fault": fault})
    tell({"counts": counts})


def tell(line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Case:
    """The odd LP of a seed, and how it is solved; every _INFEASIBLE-th LP has no feasible point."""

    def __init__(self, seed: int) -> None:
        self.solver, self.options, self.dtype = COMBINATIONS[seed % len(COMBINATIONS)]
        self.tolerance = TOLERANCES[seed // len(COMBINATIONS) % len(TOLERANCES)]
        self.feasible = seed % _INFEASIBLE > 0
        self.twice = seed % _AGAIN == 0
        self._seed = seed

    def __str__(self) -> str:
        return f"seed {self._seed}: {self.solver} {self.options} {self.dtype} {self.tolerance:g}"

    def tried(self, seconds: float) -> tuple[str, list[str]]:
        """The status, and what is wrong with the answer in words."""
        odd = odd_lp(self._seed) if self.feasible else None
        lp = infeasible_lp(self._seed) if odd is None else odd.lp
        result = self._solved(lp, seconds)
        faults = list(faults_of(lp, result, self.tolerance))
        if odd is None:
            faults += list(faults_of_infeasible(lp, result))
        else:
            faults += list(faults_of_feasible(odd, result))
        if self.twice:
            faults += list(differences(result, self._solved(lp, seconds), seconds))
        return str(result.status), faults

    def _solved(self, lp: MatchingLP, seconds: float) -> Result:
        return solve(
            lp,
            self.solver,
            tolerance=self.tolerance,
            dtype=self.dtype,
            time_limit=seconds,
            options=self.options,
        )


def faults_of_feasible(odd: OddLP, result: Result) -> Iterator[str]:
    """No word against an LP that its witness satisfies, nor against the witness."""
    if result.status is Status.INFEASIBLE:
        yield f"claimed infeasible: {result.reason}"
    if certify(odd.lp, odd.witness).feasible_objective is None:
        yield "the referee makes nothing of a feasible point"


def faults_of_infeasible(lp: MatchingLP, result: Result) -> Iterator[str]:
    """A point that is called feasible has to be one, within rounding; `infeasible` needs a proof."""
    answer = result.answer
    if result.certificate is not None and result.certificate.feasible_objective is not None:
        yield "a feasible point of an infeasible LP"
    if result.status is not Status.INFEASIBLE or exact.bound(lp, np.zeros(lp.destinations)) is None:
        return  # an empty '=' source needs no ray
    ray = None if answer is None else answer.ray
    if ray is None:
        yield "infeasible without a ray"
        return
    if not proves_infeasible(lp, ray):
        yield "the referee does not see what the ray proves"
    if not exact.is_ray(lp, np.where(lp.tightened.b < lp.b, 0.0, ray)):
        yield "the ray proves nothing in exact arithmetic"  # a budget that never binds has no part in a proof


def faults_of(lp: MatchingLP, result: Result, tolerance: float) -> Iterator[str]:
    """What is wrong with a result, in words."""
    answer, certificate = result.answer, result.certificate
    if result.status in (Status.INACCURATE, Status.CRASHED, Status.ERROR, Status.SKIPPED):
        yield f"{result.status}: {result.reason}"
    if answer is None:
        return
    for name in ("x", "dual"):
        values = getattr(answer, name)
        if values is not None and not np.isfinite(values).all():
            yield f"{name} is not finite"
    if certificate is not None:
        yield from _false_certificate(lp, answer, certificate)
    if result.status is Status.SOLVED and (certificate is None or not certificate.meets(tolerance)):
        yield "solved without a certificate"


def _false_certificate(lp: MatchingLP, answer: Any, certificate: Any) -> Iterator[str]:
    tight = lp.tightened
    if certificate.dual_bound is not None:
        value = exact.bound(tight, answer.dual)
        if value is not None and Fraction(certificate.dual_bound) > value:
            yield f"dual_bound {certificate.dual_bound} passes the exact {float(value)}"
    if certificate.certified_gap is not None and certificate.certified_gap < 0:
        yield f"gap {certificate.certified_gap} is negative"
    if certificate.feasible_objective is not None:
        point = repaired_point(lp, answer.x)
        if point is None:
            yield "a feasible objective without a point"
            return
        violation = exact.violation(lp, point)
        if violation > max(_ROUNDING, 2 * (certificate.feasible_violation or 0.0)):
            yield f"the repaired point violates a row by {violation}"
        if exact.objective(lp, point) > Fraction(certificate.feasible_objective):
            yield f"feasible_objective {certificate.feasible_objective} is below that of its point"


def differences(one: Result, other: Result, limit: float) -> Iterator[str]:
    """What differs between two runs of the same case; runs that the clock ended may differ."""
    if any(result.seconds.run is None or result.seconds.run >= limit for result in (one, other)):
        return
    if one.status != other.status:
        yield f"{one.status}, then {other.status}"
    for name in ("x", "dual"):
        values = [None if r.answer is None else getattr(r.answer, name) for r in (one, other)]
        if not np.array_equal(*(np.empty(0) if v is None else v for v in values)):
            yield f"{name} differs from run to run"


if __name__ == "__main__":
    main()
