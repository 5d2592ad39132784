"""Hold what the referee and the engine say of points of wide LPs against HiGHS, exact arithmetic and each other.

    python -m tests.faults.wide_campaign FIRST LAST [kernels]

prints one JSON line a fault and one with the counts. A thousand LPs after another have the same families, for which the
engine's loops are compiled once: all of tests/support/feasible_rows.py, the ragged one alone, places and a dense row.
Rows, sides, sources and numbers are drawn by seed. Where asked, the kernels are compared on the same LPs; Triton's,
interpreted without a GPU, on few, because it takes seconds for one.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.certificate import Certificate
from harness.general.bound import proves_infeasible
from harness.referee import certify
from instances import MatchingLP, Rows
from solvers.engine.certificate import Certificate as EngineCertificate
from solvers.engine.rays import is_ray
from solvers.engine.repair import repair
from solvers.engine.row_bounds import row_bounds
from solvers.engine.vertex import Search
from tests import exact_rows
from tests.faults.wide_kernels import faults_of_kernels
from tests.support.feasible_rows import FAMILIES, ROW_KINDS, general_lp
from tests.support.highs import HighsApart, Optimum

#: What HiGHS may be off by, relative to 1 + |optimum|.
_OFF = 1e-6
#: By how much two evaluations in float64 may differ, relative to 1 + |what they say|.
_CLOSE = 1e-9
#: A violation up to this share is rounding.
_ROUNDING = 1e-12
#: Families of the first thousand LPs, of the second, of the third.
_FORMS = (FAMILIES, ("links",), ("all", "place"))
#: One LP in so many is shown to Triton's kernel.
_SELDOM = 20
#: Whatever a point costs, look for one within its rows.
_ANY = Search(seconds=math.inf, enough=math.inf)
POINTS = ("optimum", "noise of 1e-9", "noise of 1e-4", "noise of 0.1", "random", "zero")


def main() -> None:
    first, last = int(sys.argv[1]), int(sys.argv[2])
    counts: Counter[str] = Counter()
    with HighsApart() as highs:
        for seed in range(first, last):
            form = _FORMS[seed // 1000 % len(_FORMS)]
            lp = general_lp(seed, ROW_KINDS[seed % len(ROW_KINDS)], sources=6 + seed % 5, names=form)
            best = highs.solved(lp)
            names = _kernels_for(seed) if "kernels" in sys.argv else ()
            counts.update(names)
            for fault in faults_of_kernels(lp, seed, names):
                tell({"case": f"seed {seed}, kernels", "fault": fault})
            for point in POINTS:
                for fault in faults_of_point(lp, best, point, seed, counts):
                    tell({"case": f"seed {seed}, {point}", "fault": fault})
            for fault in faults_of_rays(lp, seed, counts):
                tell({"case": f"seed {seed}, ray", "fault": fault})
    tell({"counts": counts})


def _kernels_for(seed: int) -> tuple[str, ...]:
    return ("cpu", "cuda") if seed % _SELDOM == 0 else ("cpu",)


def tell(line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def faults_of_point(lp: MatchingLP, best: Optimum, name: str, seed: int, counts: Counter[str]) -> Iterator[str]:
    """What is wrong, in words, with the certificates of a point and of a dual of the same quality."""
    x, dual = answer(lp, best, name, np.random.default_rng(seed))
    referee = certify(lp, x, dual)
    yield from _outside(referee, best)
    counts["repaired by the referee" if referee.feasible_objective is not None else "near, for the referee"] += 1

    own = x.copy()
    engine = repair(lp, own, dual)
    yield from _outside_of_engine(engine, best)
    counts["repaired by the engine" if engine.violation <= _ROUNDING else "near, for the engine"] += 1
    yield from _disagreements(engine, certify(lp, own, dual))
    if engine.violation <= _ROUNDING:
        return

    own = x.copy()
    corrected = repair(lp, own, dual, search=_ANY)
    counts["corrected by the engine"] += corrected.violation <= _ROUNDING
    yield from _outside_of_engine(corrected, best)
    yield from _disagreements(corrected, certify(lp, own, dual))


def answer(lp: MatchingLP, best: Optimum, name: str, rng: np.random.Generator) -> tuple[Any, Any]:
    if name == "random":
        return rng.random(lp.edges), rng.normal(size=lp.row_count)
    if name == "zero":
        return np.zeros(lp.edges), np.zeros(lp.row_count)
    noise = float(name.removeprefix("noise of ")) if name != "optimum" else 0.0
    return (
        best.x * (1 + noise * rng.normal(size=lp.edges)),
        best.dual + noise * rng.normal(size=lp.row_count),
    )


def _outside(found: Certificate, best: Optimum) -> Iterator[str]:
    slack = _OFF * (1 + abs(best.objective))
    if found.dual_bound is None or found.dual_bound > best.objective + slack:
        yield f"the referee's bound {found.dual_bound} is none below the optimum {best.objective}"
    if found.feasible_objective is not None and found.feasible_objective < best.objective - slack:
        yield f"the referee's objective {found.feasible_objective} is below the optimum {best.objective}"
    for figure in ("certified_gap", "priced_gap", "row_violation", "feasible_violation"):
        value = getattr(found, figure)
        if value is not None and not value >= 0:
            yield f"{figure} is {value}"
    if found.accuracy is None:
        yield f"the referee says nothing: {found.reason}"


def _outside_of_engine(found: EngineCertificate, best: Optimum) -> Iterator[str]:
    slack = _OFF * (1 + abs(best.objective))
    if found.bound > best.objective + slack:
        yield f"the engine's bound {found.bound} is above the optimum {best.objective}"
    if found.violation <= _ROUNDING and found.objective < best.objective - slack:
        yield f"the engine's objective {found.objective} is below the optimum {best.objective}"
    if not 0 <= found.gap < np.inf:
        yield f"the engine's gap is {found.gap}"


def _disagreements(engine: EngineCertificate, referee: Certificate) -> Iterator[str]:
    """About the point that the engine has made."""
    bound, near = referee.dual_bound, referee.row_violation
    if bound is None or abs(bound - engine.bound) > _CLOSE * (1 + abs(bound)):
        yield f"the engine's bound {engine.bound}, the referee's {bound}"
    if engine.violation > _ROUNDING:
        if near is None:
            return  # the referee has brought the point into its rows: its figures are of another point
        if abs(near - engine.violation) > _CLOSE:
            yield f"the engine's violation {engine.violation}, the referee's {near}"
    elif referee.feasible_objective is None and (near is None or near > _ROUNDING):
        yield f"feasible for the engine, violated by {near} for the referee"
    said = referee.feasible_objective if near is None else referee.priced_objective
    if said is None or abs(said - engine.objective) > _CLOSE * (1 + abs(said)):
        yield f"the engine's objective {engine.objective}, the referee's {said}"


def faults_of_rays(lp: MatchingLP, seed: int, counts: Counter[str]) -> Iterator[str]:
    """No y proves a feasible LP infeasible; of an LP without a feasible x, both see just what exact arithmetic does."""
    rng = np.random.default_rng(seed)
    moved = _raised(lp, rng)
    for one, feasible in ((lp, True), (moved, False)):
        y = row_bounds(one).within_hard_sides(rng.normal(size=one.row_count))
        value = exact_rows.bound(one, y, costs=False, hard_only=True)
        true = value is not None and value > 0
        counts["rays" if true else "no rays"] += 1
        if proves_infeasible(one, y) != true:
            yield f"the referee says {not true} of a ray worth {value}"
        if is_ray(one, y) and not true:
            yield f"the engine takes a ray worth {value}"
        if feasible and true:
            yield "a ray of a feasible LP"


def _raised(lp: MatchingLP, rng: np.random.Generator) -> MatchingLP:
    """The LP with the sides of its first row moved up, mostly beyond what all sources can place."""
    family, *others = lp.rows
    shift = 10.0 ** rng.uniform(0, 2)
    moved = Rows(
        family.name,
        row=family.row,
        coefficient=family.coefficient,
        lower=family.lower + shift,
        upper=family.upper + shift,
        penalty=(family.penalty_below, family.penalty_above),
    )
    return MatchingLP(offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=[moved, *others])


if __name__ == "__main__":
    main()
