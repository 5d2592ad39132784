"""The commands about trust: `check`, `new-solver`, `verify`, `compare`, `submit`, `collect`, `doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness.trust.ratios import Ratio

OK = 0
FOUND_WANTING = 1
_ONLY_SHOWN = 4  # cases named of those that one side lacks
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("solver")
def check(solver: str) -> int:
    """Try everything that an adapter promises on SOLVER (an id, or a path to a .py file), in processes of their own.

    Exit status 1 where a check failed, or where the solver is not available here.
    """
    from harness.display import wide_console
    from harness.trust.conformance import Verdict, examine_apart

    console = wide_console()
    failed = 0
    colours = {Verdict.PASSED: "green", Verdict.FAILED: "red"}
    for finding in examine_apart(solver):
        colour = colours.get(finding.verdict, "yellow")
        _print(console, finding.verdict, colour, finding.check.replace("_", " "), finding.detail)
        failed += finding.verdict is Verdict.FAILED
    console.print(f"{failed} checks failed" if failed else "conforms", style="red" if failed else "green")
    return FOUND_WANTING if failed else OK


@click.command(name="new-solver")
@click.argument("name")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Folder for the adapter and its test.")
def new_solver(name: str, out: Path) -> None:
    """Write a working adapter NAME to fill in, and its test, into DIR."""
    from harness.trust.new_solver import write_solver

    adapter, test = write_solver(name, out)
    click.echo(f"{adapter} works as it is: fill in prepare and run")
    click.echo(f"{test} runs with: pytest {test}")
    click.echo(f"also: dualbench check {adapter}")


@click.command()
@click.argument("path", type=_PATH, metavar="RECORDS")
@click.option("--threads", type=click.IntRange(min=1), default=1, metavar="N", help="Threads of the referee.")
def verify(path: Path, threads: int) -> int:
    """Derive RECORDS (a folder, a records file, pytest-benchmark JSON) again from spec, stored dual and stored x.

    RECORDS may also be a folder of decisions: its summary is derived again from the tables, decisions and prices. Exit
    status 1 where a row differs, a dual is missing, or nothing could be derived at all.
    """
    from harness.decisions.again import holds_decisions, verify_decisions
    from harness.display import wide_console
    from harness.trust.verify import Outcome
    from harness.trust.verify import verify as derive

    colours = {Outcome.AGREES: "green", Outcome.DIFFERS: "red", Outcome.MISSING: "red"}
    console = wide_console()
    counts = dict.fromkeys(Outcome, 0)
    for verified in (verify_decisions if holds_decisions(path) else derive)(path, threads=threads):
        counts[verified.outcome] += 1
        _print(console, verified.outcome, colours.get(verified.outcome, "dim"), verified.case, verified.detail)
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "no cases")
    if not counts[Outcome.AGREES]:
        console.print("nothing was verified: no row has a bound that could be derived again", style="red")
        return FOUND_WANTING
    return FOUND_WANTING if counts[Outcome.DIFFERS] or counts[Outcome.MISSING] else OK


@click.command()
@click.argument("before", type=_PATH, metavar="A")
@click.argument("after", type=_PATH, metavar="B")
@click.option("--fail-above", type=click.FloatRange(min=1.0), metavar="R", help="Exit with 1 above this ratio.")
@click.option("--any-environment", is_flag=True, help="Compare records of different machines too.")
def compare(before: Path, after: Path, fail_above: float | None, *, any_environment: bool) -> int:
    """Compare the records B with the records A: run times as ratios B / A, and accuracy.

    A and B are what `report` reads. With --fail-above the exit status is 1 where a case is slower by more than that
    ratio and than the spread of its repeats, or lost accuracy; a single run never decides it.
    """
    from harness import records
    from harness.display import wide_console
    from harness.texts import plain_text
    from harness.trust.compare import compare as compared
    from harness.trust.compare import faster, lost_accuracy, slower, summaries
    from harness.trust.compared import comparison_table, summary_line

    console = wide_console()
    files = [records.read(before), records.read(after)]
    comparison = compared(*files, any_environment=any_environment)
    for line in (*(line for file in files for line in file.warnings), *comparison.warnings):
        console.print(plain_text(line), style="yellow", soft_wrap=True)
    console.print(comparison_table(comparison))
    for case, reason in comparison.different.items():
        _print(console, "not comparable", "yellow", case, reason)
    for side, cases in ((before, comparison.only_before), (after, comparison.only_after)):
        if cases:
            shown = ", ".join([*cases[:_ONLY_SHOWN], *(["..."] if len(cases) > _ONLY_SHOWN else [])])
            console.print(plain_text(f"{len(cases)} only in {side}: {shown}"), style="yellow", soft_wrap=True)
    slow = list(slower(comparison, fail_above or 1.0))
    lost = list(lost_accuracy(comparison))
    for ratio in slow:
        _print(console, "slower", "red", ratio.case, f"{ratio.ratio:.2f} times")
    for ratio in faster(comparison):
        _print(console, "faster", "green", ratio.case, f"{1 / (ratio.ratio or 1.0):.2f} times")
    for ratio in lost:
        _print(console, "less accurate", "red", ratio.case, ratio.lost_accuracy)
    for summary in summaries(comparison):
        console.print(summary_line(summary), soft_wrap=True)
    return OK if fail_above is None else _decided([*slow, *lost], console)


def _decided(worse: Sequence[Ratio], console: Any) -> int:
    """The exit status of cases that are worse, and a line about those that are single runs."""
    single = {ratio.case for ratio in worse if not ratio.decides}
    if single:
        console.print(f"{len(single)} cases are single runs and decide nothing: run both sides with --repeats auto")
    return FOUND_WANTING if any(ratio.decides for ratio in worse) else OK


@click.command()
@click.argument("folder", type=_PATH, metavar="DIR")
@click.option("--out", type=_PATH, metavar="FILE", help="The pack; by default DIR.dualbench.tar.gz.")
def submit(folder: Path, out: Path | None) -> None:
    """Pack the run in DIR into one file: records, duals, suite, environment, method, checksums."""
    from harness.trust.pack import ENDING, write_pack

    out = out or folder.with_name(f"{folder.resolve().name}{ENDING}")
    manifest = write_pack(folder, out)
    click.echo(f"{out}: {manifest.suite}, {len(manifest.files)} files, method {manifest.method}")


@click.command()
@click.argument("packs", nargs=-1, required=True, type=_PATH, metavar="PACK...")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Folder of collected runs, a folder each.")
@click.option("--threads", type=click.IntRange(min=1), default=1, metavar="N", help="Threads of the referee.")
def collect(packs: tuple[Path, ...], out: Path, threads: int) -> int:
    """Check each PACK that `submit` wrote, derive its rows again, and put it into DIR beside the others.

    Exit status 1 where one was refused; `dualbench site DIR` makes pages of all.
    """
    from harness.display import wide_console
    from harness.trust.collect import RefusedError
    from harness.trust.collect import collect as take

    console = wide_console()
    refused = 0
    for pack in packs:
        try:
            taken = take(pack, out, threads=threads)
        except RefusedError as error:
            refused += 1
            _print(console, "refused", "red", str(pack), str(error))
            continue
        told = "is there already" if taken.known else f"{taken.derived} of {taken.rows} rows derived again"
        _print(console, "taken", "green", str(taken.folder), told)
    return FOUND_WANTING if refused else OK


@click.command()
def doctor() -> int:
    """Say what this machine has and what it lacks, with the remedy; exit status 1 where something does not work."""
    from harness.display import wide_console
    from harness.trust.doctor import State, diagnose

    console = wide_console()
    broken = 0
    for line in diagnose():
        _print(console, line.state, line.state, line.topic, "; ".join(filter(None, (line.detail, line.remedy))))
        broken += line.state is State.RED
    return FOUND_WANTING if broken else OK


def _print(console: Any, word: str, colour: str, subject: str, detail: str) -> None:
    """One line: a coloured word, what it is about, and more."""
    from rich.text import Text

    from harness.texts import plain_text

    words = (f" {plain_text(subject):<24} ", plain_text(detail))
    console.print(Text.assemble((f"{word:<8}", colour), *words), soft_wrap=True)


COMMANDS = (check, new_solver, verify, compare, submit, collect, doctor)
