"""The commands about decisions: `solve`, and `decide` of serving_command.py."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from harness.decisions.serving_command import decide
from instances.errors import InputError

OK = 0
NOT_SOLVED = 1
_FAULT = 3
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("problem", type=_PATH, metavar="[PROBLEM.TOML]", required=False)
@click.option("--shards", type=_PATH, metavar="DIR", help="In place of PROBLEM.TOML: what a job of Spark wrote of one.")
@click.option("--solver", default="auto", show_default=True, metavar="ID", help="A solver, or auto: ours, and why.")
@click.option("--tolerance", type=float, default=1e-4, show_default=True, metavar="T", help="Certified gap asked for.")
@click.option("--time-limit", type=float, metavar="S", help="Seconds of solving.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads; without it all that may be used.")
@click.option("--device", default="cpu", show_default=True, metavar="D", help="cpu or cuda.")
@click.option("--memory-limit", metavar="SIZE", help="Memory to keep within, such as 4GiB: the rest lies on the disk.")
@click.option("--start", type=_PATH, metavar="DIR", help="Begin from the output of an earlier day, or of --out itself.")
@click.option("--stay", type=float, metavar="RHO", help="Stay near it: add RHO / 2 times the squared change of x.")
@click.option("--whole", is_flag=True, help="Whole decisions: x of whole numbers, with a gap of their own.")
@click.option("--effort", type=click.FloatRange(min=0), metavar="N", help="Of --whole: moves to look at for each edge.")
@click.option("--columns", multiple=True, metavar="NAME", help="A column of edges beside x; may be repeated.")
@click.option("--all", "all_edges", is_flag=True, help="Write every edge, not only those with x > 0.")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Folder for decisions, prices and summary.")
@click.option("--strict", is_flag=True, help="Exit with 1 where the problem was not solved.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
def solve(
    problem: Path | None,
    shards: Path | None,
    solver: str,
    out: Path,
    columns: tuple[str, ...],
    memory_limit: str | None,
    start: Path | None,
    *,
    whole: bool,
    all_edges: bool,
    strict: bool,
    quiet: bool,
    **settings: Any,
) -> int:
    """Solve the problem that PROBLEM.TOML states over tables, and write decisions by key into DIR.

    DIR gets decisions.parquet, prices.parquet, summary.json and summary.md, whole or not at all; what an earlier
    `solve` wrote there is replaced. Exit status 1 where there are no decisions, and with --strict where the status is
    not solved or whole decisions have no gap.

    With --shards each rank of torchrun solves and writes its part: torchrun --nproc-per-node=2 --no-python -- dualbench
    solve --shards SHARDS --out DIR.
    """
    if (problem is None) == (shards is None):
        raise InputError("solve needs a PROBLEM.TOML, or --shards with what a job of Spark wrote of one")
    if shards is not None:
        stay, effort = (settings.pop(name) for name in ("stay", "effort"))
        _only_with_tables(stay=stay, whole=whole, effort=effort, memory_limit=memory_limit, columns=columns)
        chosen: dict[str, Any] = {"all_edges": all_edges, "start": start, **settings}
        return _solve_shards(shards, solver, out, strict=strict, quiet=quiet, **chosen)
    assert problem is not None

    from harness.decisions.folder import check_writable
    from harness.decisions.solving import NoDecisionsError, solve_problem
    from harness.isolation.limits import parse_bytes
    from harness.texts import plain_text
    from instances.tables import Problem

    stated = Problem.read(problem)
    check_writable(out)
    memory = parse_bytes(memory_limit or "")
    given = {name: value for name, value in settings.items() if value is not None}
    say = None if quiet else _Progress()
    try:
        solution = solve_problem(
            stated, solver, columns=columns, progress=say, memory_limit=memory, start=start, whole=whole, **given
        )
        solution.write(out, all_edges=all_edges)
    except NoDecisionsError as error:
        click.echo(f"dualbench: {plain_text(str(error))}; {_unchanged(out)}", err=True)
        return NOT_SOLVED
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_unchanged(out)) from None
    _show(solution.summary, out)
    missed = solution.status != "solved" or (solution.whole is not None and solution.whole.gap is None)
    return NOT_SOLVED if strict and missed else OK


def _only_with_tables(**given: Any) -> None:
    """Refuse the first option that is given: those go with a PROBLEM.TOML."""
    for name, value in given.items():
        if value:
            option = name.replace("_", "-")
            raise InputError(
                f"--{option} goes with a PROBLEM.TOML, not with --shards: leave it out, or solve from the tables in one"
                " process"
            )


def _solve_shards(shards: Path, solver: str, out: Path, *, strict: bool, quiet: bool, **chosen: Any) -> int:
    """The exit status of one rank; rank 0 speaks for all. chosen: arguments of solve_shards by name."""
    from harness.decisions.shards import solve_shards
    from harness.decisions.solving import NoDecisionsError
    from harness.texts import plain_text
    from solvers.engine.collectives import RankLostError

    given = {name: value for name, value in chosen.items() if value is not None}
    say = None if quiet or os.environ.get("RANK", "0") != "0" else _Progress()
    try:
        summary = solve_shards(shards, out, solver, progress=say, **given)
    except NoDecisionsError as error:
        click.echo(f"dualbench: {plain_text(str(error))}; {_unchanged(out)}", err=True)
        return NOT_SOLVED
    except RankLostError as error:
        click.echo(f"dualbench: {plain_text(str(error))}; {_unchanged(out)}", err=True)
        os._exit(_FAULT)  # the threads of a lost group may never end
    if summary is None:
        return OK
    _show(dict(summary), out)
    return NOT_SOLVED if strict and summary["status"] != "solved" else OK


def _unchanged(out: Path) -> str:
    return f"nothing was written, {out} is as it was"


def _show(summary: dict[str, Any], out: Path) -> None:
    """Status, objective and gap in three lines."""
    from harness.accuracy import accuracy
    from harness.decisions.whole import reached_by
    from harness.integral.judge import WholeFigures
    from harness.numbers import measured
    from harness.texts import plain_text

    reason = f" ({summary['reason']})" if summary["reason"] else ""
    click.echo(
        plain_text(f"{summary['status'].replace('_', ' ')}{reason}: gap {measured(accuracy(summary['certificate']))}")
    )
    if summary["whole"] is not None:
        click.echo(reached_by(WholeFigures(**summary["whole"])))
    counts = summary["decisions"]
    click.echo(
        f"{summary['sense']} {summary['objective']:,.10g}, {counts['edges_used']:,} of {counts['edges']:,} edges used"
    )
    click.echo(f"decisions, prices and summary are in {out}")


class _Progress:
    """A line for each phase, with the seconds since the command began."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def __call__(self, words: str) -> None:
        click.echo(f"dualbench: {time.perf_counter() - self._began:8.1f} s   {words}", err=True)


COMMANDS = (solve, decide)
