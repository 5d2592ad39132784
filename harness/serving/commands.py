"""The command `serving`: what prices from a sample cost on the sources outside."""

from __future__ import annotations

from pathlib import Path

import click

_FAMILIES = ("dualip", "unit", "slots", "independent", "uniform")
_SHARES = (0.01, 0.1, 1.0)


@click.command()
@click.argument("instances", nargs=-1)
@click.option("--share", "shares", multiple=True, type=click.FloatRange(0, 1, min_open=True), metavar="S")
@click.option("--solver", default="blockpdhg", show_default=True, metavar="ID")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of the samples.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads; without it all that may be used.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the records.")
@click.option("--resume", is_flag=True, help="Measure only what DIR lacks.")
def serving(
    instances: tuple[str, ...],
    shares: tuple[float, ...],
    solver: str,
    seed: int,
    threads: int | None,
    out: Path,
    *,
    resume: bool,
) -> None:
    """Solve samples of the sources of INSTANCES, serve all others at their prices, and record what that costs.

    Without INSTANCES: five families with 100,000 sources; without --share: 1 %, 10 % and 100 %. Budgets are scaled with
    the sample. `dualbench report DIR` makes the table, `dualbench verify DIR` derives every row again.
    """
    from harness.measured import measuring
    from harness.serving.sample import Question, measure_serving
    from instances import generate, parse_spec
    from instances.cpus import usable_threads

    names = instances or tuple(f"{family}-100k" for family in _FAMILIES)
    used, asked_shares = threads or usable_threads(), shares or _SHARES
    asked = {"instances": names, "shares": asked_shares, "solver": solver, "seed": seed, "threads": used}
    with measuring(out, "serving", asked, resume=resume) as into:
        for name in names:
            spec = parse_spec(name)
            questions = [
                Question(name=name, spec=spec, solver=solver, share=share, seed=seed, threads=used)
                for share in asked_shares
            ]
            missing = [question for question in questions if not into.holds(question.case, spec)]
            if missing:
                lp = generate(spec, threads=used)
            for question in missing:
                record = measure_serving(question, lp, into)
                into.add(record)
                lost = "unknown" if record.lost is None else f"{record.lost:.3g}"
                click.echo(f"{name} {record.share:g}: overrun {record.overrun:.3g}, lost {lost}")
    click.echo(f"records are in {out}: dualbench report {out} --out FOLDER makes the table")


COMMANDS = (serving,)
