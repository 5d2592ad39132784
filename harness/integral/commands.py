"""The command `whole`: whole decisions beside the LP, and on GAP beside the best known."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.integral.row import WholeRecord
    from instances import Spec

_PATH = click.Path(path_type=Path)
#: Named instances of 100,000 x 1,000.
_INSTANCES = ("slots-100k", "unit-100k", "dualip-100k")
_WARM_UP = "unit:sources=50,destinations=5,degree=3,seed=1"


@click.command()
@click.argument("instances", nargs=-1)
@click.option("--gap", type=_PATH, metavar="FOLDER", help="All files of the generalised assignment problem there.")
@click.option("--effort", type=click.FloatRange(min=0), metavar="N", help="Moves to look at for each edge.")
@click.option("--solver", default="blockpdhg", show_default=True, metavar="ID", help="Of the LP.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Of the LP; without it all that may be used.")
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, metavar="R")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Folder for the records.")
@click.option("--resume", is_flag=True, help="Measure only what DIR lacks.")
def whole(
    instances: tuple[str, ...],
    gap: Path | None,
    effort: float | None,
    solver: str,
    threads: int | None,
    repeats: int,
    out: Path,
    *,
    resume: bool,
) -> None:
    """Make whole decisions of the LPs of INSTANCES, and record their gaps and seconds.

    Without INSTANCES and --gap: slots, unit and dualip with 100,000 sources. `dualbench report DIR` makes the table,
    `dualbench verify DIR` derives every row again.
    """
    from harness.integral.decide import whole_decisions
    from harness.integral.measure import Question, gap_files, measure_whole
    from harness.isolation.isolated import Isolated
    from harness.measured import measuring
    from instances import generate, parse_spec
    from instances.cpus import usable_threads
    from solvers.whole.rounding import EFFORT

    used, moves = threads or usable_threads(), EFFORT if effort is None else effort
    named: list[tuple[str, Spec, float | None]] = []
    named += [(name, parse_spec(name), None) for name in instances or (() if gap else _INSTANCES)]
    named += [] if gap is None else gap_files(gap)
    asked = {"instances": [name for name, *_ in named], "effort": moves, "solver": solver, "threads": used}
    small = generate(parse_spec(_WARM_UP))
    whole_decisions(small, [0.0] * small.edges)  # compiles
    worker = Isolated(used, out / "solver-output.log")
    with measuring(out, "whole", asked, resume=resume) as into, contextlib.ExitStack() as always:
        always.callback(worker.stop)
        for name, spec, best in named:
            first = Question(name=name, spec=spec, solver=solver, effort=moves, threads=used, best_known=best)
            questions = [replace(first, repeat=repeat) for repeat in range(repeats)]
            missing = [question for question in questions if not into.holds(question.case, question.spec)]
            if missing:
                lp = generate(first.spec, threads=used)
            for question in missing:
                record = measure_whole(question, lp, worker, into)
                into.add(record)
                click.echo(_in_words(record))
    click.echo(f"records are in {out}: dualbench report {out} --out FOLDER makes the table")


def _in_words(row: WholeRecord) -> str:
    gap = "limits are left" if row.gap is None else f"gap {row.gap:.3g}"
    lp = (row.seconds["prepare"] or 0.0) + (row.seconds["run"] or 0.0)
    best = "" if row.above_best is None else f", {row.above_best:.2%} above the best known"
    return f"{row.instance}: {gap} in {row.seconds['whole']:.3g} s beside {lp:.3g} s of the LP{best}"


COMMANDS = (whole,)
