"""Whole decisions measured: seconds and gap beside those of the LP, and on GAP beside the best known integer value."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.integral.decide import whole_decisions
from harness.solve import solve
from instances import InputError, MatchingLP

_BOUNDS = "bounds.csv"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Whole decisions of one instance."""

    instance: str

    edges: int

    lp_gap: float | None
    """The certified gap of the LP's answer."""

    lp_seconds: float
    """Prepare and run of the LP."""

    whole_seconds: float
    """Making its answer whole, once the loops are compiled."""

    kept: bool
    """Whether every source and every hard row is kept."""

    gap: float | None
    """The certified gap of the whole decisions against the bound of the LP."""

    objective: float | None
    """c'x of the whole decisions."""

    best_known: float | None
    """The best known value of a whole x, where one is published."""

    above_best: float | None
    """objective / best_known - 1, of decisions that keep all limits."""


def measured_whole(
    name: str, lp: MatchingLP, solver: str, *, effort: float, threads: int, best_known: float | None = None
) -> Measured:
    """Solve `lp` to 1e-4 and make its answer whole."""
    result = solve(lp, solver, threads=threads, quiet=True)
    if result.answer is None or result.answer.x is None:
        raise InputError(f"{solver} gave no x for {name}: {result.reason or result.status.sentence}")
    decided = whole_decisions(lp, result.answer.x, result.proved_dual, effort=effort, threads=threads)
    objective = decided.certificate.objective
    above = None
    if best_known is not None and objective is not None and decided.figures.kept:
        above = objective / best_known - 1
    return Measured(
        instance=name,
        edges=lp.edges,
        lp_gap=decided.figures.bound_gap,
        lp_seconds=(result.seconds.prepare or 0.0) + (result.seconds.run or 0.0),
        whole_seconds=decided.seconds,
        kept=decided.figures.kept,
        gap=decided.figures.gap,
        objective=objective,
        best_known=best_known,
        above_best=above,
    )


def gap_files(folder: Path) -> Iterator[tuple[str, float]]:
    """Each instance of the generalised assignment problem in `folder`, with the best known value of its bounds.csv."""
    try:
        with (folder / _BOUNDS).open(newline="", encoding="utf-8") as table:
            known = {row["Path"].rpartition("/")[2]: row["Best known solution value"] for row in csv.DictReader(table)}
    except (OSError, KeyError) as error:
        raise InputError(f"{folder} has no {_BOUNDS} with paths and best known values ({error})") from error
    for file in sorted(folder.glob("*.gz")):
        yield file.stem, float(known[file.stem])
