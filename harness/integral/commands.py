"""The command `whole`: whole decisions beside the LP, and on GAP beside the best known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.integral.measure import Measured

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
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Gets whole.csv and whole.md.")
def whole(
    instances: tuple[str, ...], gap: Path | None, effort: float | None, solver: str, threads: int | None, out: Path
) -> None:
    """Make whole decisions of the LPs of INSTANCES, and tabulate their gaps and seconds.

    Without INSTANCES and --gap: slots, unit and dualip with 100,000 sources.
    """
    from harness.integral.measure import gap_files, measured_whole
    from harness.measured_tables import write_measured
    from instances import generate, parse_spec
    from instances.cpus import usable_threads
    from solvers.whole.rounding import EFFORT

    used, moves = threads or usable_threads(), EFFORT if effort is None else effort
    named = [(name, name, None) for name in instances or (() if gap else _INSTANCES)]
    found = [] if gap is None else [(name, f"gap:file={name},path={gap}", best) for name, best in gap_files(gap)]
    measured_whole("", generate(parse_spec(_WARM_UP)), solver, effort=moves, threads=used)  # compiles
    rows: list[Measured] = []
    for name, spec, best in (*named, *found):
        lp = generate(parse_spec(spec), threads=used)
        rows.append(measured_whole(name, lp, solver, effort=moves, threads=used, best_known=best))
        click.echo(_in_words(rows[-1]))
    words = ["dualbench whole", *instances, *([] if gap is None else ["--gap FOLDER"]), f"--effort {moves:g}"]
    write_measured(out, "whole", rows, f"{' '.join(words)} --solver {solver} --threads {used}")


def _in_words(row: Measured) -> str:
    gap = "limits are left" if row.gap is None else f"gap {row.gap:.3g}"
    best = "" if row.above_best is None else f", {row.above_best:.2%} above the best known"
    return f"{row.instance}: {gap} in {row.whole_seconds:.3g} s beside {row.lp_seconds:.3g} s of the LP{best}"


COMMANDS = (whole,)
