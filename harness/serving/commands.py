"""The command `serving`: what prices from a sample cost on the sources outside."""

from __future__ import annotations

from pathlib import Path

import click

_FAMILIES = ("dualip", "unit", "slots", "independent", "uniform")


@click.command()
@click.argument("instances", nargs=-1)
@click.option("--share", "shares", multiple=True, type=click.FloatRange(0, 1, min_open=True), metavar="S")
@click.option("--solver", default="blockpdhg", show_default=True, metavar="ID")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of the samples.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads; without it all that may be used.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Gets serving.csv and .md.")
def serving(
    instances: tuple[str, ...], shares: tuple[float, ...], solver: str, seed: int, threads: int | None, out: Path
) -> None:
    """Solve samples of the sources of INSTANCES, serve all others at their prices, and tabulate what that costs.

    Without INSTANCES: five families with 100,000 sources; without --share: 1 %, 10 % and 100 %. Budgets are scaled with
    the sample.
    """
    from harness.measured_tables import write_measured
    from harness.serving.sample import served_from_sample
    from instances import generate, parse_spec
    from instances.cpus import usable_threads

    names = instances or tuple(f"{family}-100k" for family in _FAMILIES)
    used = threads or usable_threads()
    rows = []
    for name in names:
        lp = generate(parse_spec(name), threads=used)
        for share in shares or (0.01, 0.1, 1.0):
            rows.append(served_from_sample(lp, share, solver, name=name, seed=seed, threads=used))
            click.echo(f"{name} {share:g}: overrun {rows[-1].overrun:.3g}, lost {rows[-1].lost:.3g}")
    words = ["dualbench serving", *instances, *(f"--share {share:g}" for share in shares), f"--solver {solver}"]
    write_measured(out, "serving", rows, f"{' '.join(words)} --seed {seed} --threads {used}")


COMMANDS = (serving,)
