"""The command `dualbench`.

Exit status: 0 everything asked was executed and recorded; 1 it was, and --strict found a case not solved; 2 bad input,
one line that says what to change; 3 a fault of the harness or of the machine, such as a full disk. As usual, 130 after
Ctrl-C and 141 where nobody reads the output (`| head -1`): what was finished is recorded, --resume goes on.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from harness import instance_commands, streams
from harness.decisions import commands as decision_commands
from harness.folder import Folder
from harness.integral import commands as integral_commands
from harness.isolation.wire import ServerError
from harness.records import NO_SPACE, NotWrittenError
from harness.run_options import Repeats, chosen_suite, prices_of
from harness.scaling import commands as scaling_commands
from harness.serving import commands as serving_commands
from harness.suite import Suite
from harness.trust import commands as trust_commands
from instances.errors import InputError

OK = 0
NOT_SOLVED = 1
BAD_INPUT = 2
FAULT = 3
_SETTINGS = {"help_option_names": ["-h", "--help"]}


def main() -> None:
    """Entry point of the console script."""
    try:
        sys.exit(invoke(sys.argv[1:]))
    except Exception:  # noqa: BLE001 - what nobody foresaw is shown whole, with an exit status of its own
        traceback.print_exc()
        sys.exit(FAULT)


def invoke(arguments: list[str]) -> int:
    """Run one command line and return its exit status; bad input is one line on standard error."""
    streams.prepare()
    try:
        status = _call(arguments)
        sys.stdout.flush()
    except click.exceptions.Exit as ended:  # of --help and --version
        return ended.exit_code
    except click.UsageError as error:
        return _complain(f"{error.format_message()} (see dualbench {_command(error)}--help)")
    except (click.ClickException, InputError) as error:
        return _complain(str(error))
    except (KeyboardInterrupt, click.Abort) as stop:
        return _complain(f"interrupted; {str(stop) or 'what was finished is recorded, --resume goes on'}", status=130)
    except (NotWrittenError, ServerError) as error:
        return _complain(str(error), status=FAULT)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and streams.nobody_reads():
            return streams.NOBODY_READS
        status = FAULT if error.errno in NO_SPACE else BAD_INPUT
        return _complain(f"{error.filename or ''} {error.strerror or error}".strip(), status=status)
    return status if isinstance(status, int) else OK


def _call(arguments: list[str]) -> Any:
    """What the command returns; click's own `main` would end the process at the first broken pipe."""
    with cli.make_context("dualbench", arguments or ["--help"]) as context:
        return cli.invoke(context)


@click.group(context_settings=_SETTINGS)
@click.version_option(package_name="dualbench")
def cli() -> None:
    """Certified benchmarks of solvers for matching LPs."""


@cli.command()
@click.argument("suite", required=False)
@click.option("--problem", type=click.Path(path_type=Path), metavar="FILE", help="All solvers on this problem.toml.")
@click.option("--solver", "solvers", multiple=True, metavar="ID", help="Only this solver; may be repeated.")
@click.option("--instance", "instances", multiple=True, metavar="ID", help="This instance (name or spec); repeatable.")
@click.option("--tolerance", "tolerances", multiple=True, type=float, metavar="T", help="This tolerance; repeatable.")
@click.option("--time-limit", type=float, metavar="S", help="Seconds of run time for each case.")
@click.option("--grace", type=float, metavar="S", help="Seconds beyond it before a case is ended from outside.")
@click.option("--memory-limit", metavar="SIZE", help="Memory of a case and all its processes, such as 4GiB.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads, the same for every solver.")
@click.option("--device", metavar="D", help="cpu or cuda, for the solvers that run on both.")
@click.option("--repeats", type=Repeats(), metavar="R", help="Runs of every case; auto: 5 below 10 s, 3 below 60 s.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for records and report.")
@click.option("--resume", is_flag=True, help="Run only what the folder lacks.")
@click.option("--rerun-disturbed", is_flag=True, help="With --resume: run the cases again that were disturbed.")
@click.option("--price-per-hour", type=float, metavar="USD", help="Of this machine, for the dollars to a gap.")
@click.option("--anytime", is_flag=True, help="Also at a row of shorter time limits: the certified gap over time.")
@click.option("--keep-x", is_flag=True, help="Keep every x beside the duals: `verify` derives from it.")
@click.option("--in-process", is_flag=True, help="For debugging: no process of its own for a case, no hard limits.")
@click.option("--strict", is_flag=True, help="Exit with 1 where a case was not solved.")
def run(
    suite: str | None,
    problem: Path | None,
    out: Path | None,
    *,
    resume: bool,
    rerun_disturbed: bool,
    in_process: bool,
    keep_x: bool,
    strict: bool,
    **overrides: Any,
) -> int:
    """Run SUITE (a name or a .toml file), record every case and write the report.

    With --problem in its place: every solver that runs here on your own LP, under the same limits.
    """
    from harness.display import wide_console
    from harness.folder import locked, open_folder

    chosen = chosen_suite(suite, problem).override(**overrides)
    _refuse_contradictions(chosen, out, resume=resume, rerun_disturbed=rerun_disturbed, in_process=in_process)
    out = out or Path("results") / f"{chosen.name}-{datetime.now():%Y%m%d-%H%M%S}"

    click.get_current_context().with_resource(locked(out))
    folder = open_folder(chosen, out, resume=resume, rerun_disturbed=rerun_disturbed)
    console = wide_console()
    for line in folder.warnings:
        console.print(line, style="yellow", soft_wrap=True)

    if chosen.days:
        return _run_days(chosen, folder, console, in_process=in_process, keep_x=keep_x, strict=strict)
    rows = _run_cases(chosen, folder, console, resume=resume, in_process=in_process, keep_x=keep_x)
    return NOT_SOLVED if strict and any(row["status"] != "solved" for row in rows) else OK


def _refuse_contradictions(
    chosen: Suite, out: Path | None, *, resume: bool, rerun_disturbed: bool, in_process: bool
) -> None:
    if resume and out is None:
        raise InputError("--resume needs --out: say which folder to go on with")
    if rerun_disturbed and not resume:
        raise InputError("--rerun-disturbed needs --resume: say which folder holds the cases to run again")
    if in_process and (chosen.memory_limit or chosen.grace is not None):
        raise InputError("--in-process has no limits from outside: leave out --memory-limit and --grace")
    if chosen.days and rerun_disturbed:
        raise InputError("a suite with days takes no --rerun-disturbed: each day has begun from the last")


def _run_cases(
    suite: Suite, folder: Folder, console: Any, *, resume: bool, in_process: bool, keep_x: bool
) -> list[dict[str, Any]]:
    """Run what the folder lacks, show it and write the report; the rows of all cases of the suite."""
    from harness import records
    from harness.display import LiveDisplay
    from harness.folder import missing_cases
    from harness.runner import run_suite
    from harness.summary import summary_table

    cases = missing_cases(suite, folder)
    if resume:
        again = f", {len(folder.again)} are run again" if folder.again else ""
        starts = f", the first from its start: {cases[0].id}" if cases else ""
        line = f"{len(folder.rows)} cases are recorded in {folder.path}{again}, {len(cases)} are to be run{starts}"
        console.print(line, soft_wrap=True)
    with LiveDisplay(cases, console) as display:
        run_suite(suite, folder, display, in_process=in_process, keep_x=keep_x)

    ids = {case.id for case in suite.cases()}
    rows = [row for row in records.read(folder.path).cases if row["case"] in ids and not row.get("anytime")]
    console.print(summary_table(rows))
    console.print(f"records  {folder.records}")
    _report([folder.path], folder.path / "report", console)
    return rows


def _run_days(suite: Suite, folder: Folder, console: Any, *, in_process: bool, keep_x: bool, strict: bool) -> int:
    """Run what the folder lacks of a suite with days, and write the report."""
    from harness import records
    from harness.display import LiveDisplay
    from harness.recurring.run import missing_days, run_days

    with LiveDisplay([day.case for day in missing_days(suite, folder)], console) as display:
        run_days(suite, folder, display, in_process=in_process, keep_x=keep_x)
    console.print(f"records  {folder.records}")
    _report([folder.path], folder.path / "report", console)
    rows = records.read(folder.path).recurring
    return NOT_SOLVED if strict and any(row["status"] != "solved" for row in rows) else OK


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the report.")
@click.option("--model-ranks", type=click.IntRange(min=1), metavar="R", help="Draw the model of scaling up to R ranks.")
@click.option(
    "--price", "prices", multiple=True, metavar="M=USD", help="Of an hour of machine M (its letter on the page)."
)
def report(inputs: tuple[Path, ...], out: Path, model_ranks: int | None, prices: tuple[str, ...]) -> None:
    """Write report.html, report.md, figures and tables from folders of records or pytest-benchmark JSON files."""
    from harness.display import wide_console

    _report(list(inputs), out, wide_console(), model_ranks=model_ranks, prices=prices_of(prices))


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="SITE", help="Folder for the site.")
def site(inputs: tuple[Path, ...], out: Path) -> None:
    """Write a site of many runs: an index, a page a run, a family and a solver, and the history over versions.

    Each DIR is one run: a folder of records, or a folder of such folders.
    """
    import reports
    from harness.about import about_family, about_solver
    from harness.display import wide_console

    built = reports.build_site(list(inputs), out, about_family, about_solver)
    console = wide_console()
    for line in built.warnings:
        console.print(line, style="yellow", soft_wrap=True)
    console.print(f"site     {built.page}")


_MODULES = (
    decision_commands,
    instance_commands,
    integral_commands,
    scaling_commands,
    serving_commands,
    trust_commands,
)
for _command_of_its_own in (command for module in _MODULES for command in module.COMMANDS):
    cli.add_command(_command_of_its_own)


def _report(inputs: list[Path], out: Path, console: Any, **choices: Any) -> None:
    import reports

    built = reports.build(inputs, out, **choices)
    for line in built.warnings:
        console.print(line, style="yellow", soft_wrap=True)
    console.print(f"report   {out / 'report.html'}")


def _command(error: click.UsageError) -> str:
    name = error.ctx.info_name if error.ctx is not None else None
    return f"{name} " if name and name != "dualbench" else ""


def _complain(line: str, status: int = BAD_INPUT) -> int:
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(line.split()))
    with contextlib.suppress(OSError):  # nobody may read this either
        click.echo(f"dualbench: {plain}", err=True)
    return status
