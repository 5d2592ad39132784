"""The command `decide`: sources that were not in the solve, from its prices."""

from __future__ import annotations

from pathlib import Path

import click

from harness.disk import space_for

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=_PATH, metavar="DIR")
@click.option("--edges", required=True, metavar="FILES", help="Edges of the new sources: a file, a folder or a glob.")
@click.option("--sources", metavar="FILES", help="Their limits, where the problem takes them from a table.")
@click.option("--columns", multiple=True, metavar="NAME", help="A column of edges beside x; may be repeated.")
@click.option("--out", type=_PATH, required=True, metavar="FILE", help="Parquet file for the decisions.")
def decide(folder: Path, edges: str, sources: str | None, columns: tuple[str, ...], out: Path) -> None:
    """Decide for sources that were not in the solve, by the prices that `dualbench solve` wrote into DIR.

    The new edges have the columns of the problem that was solved. FILE gets the rows with x > 0, by key.
    """
    from harness.decisions.serving import decide as decide_by_prices
    from harness.texts import plain_text
    from instances import InputError

    if out.is_dir():
        raise InputError(f"{out} is a folder: give the name of a file as --out")
    served = decide_by_prices(folder, edges, sources=sources, columns=columns)
    _write(served.decisions, out)
    click.echo(plain_text(served.in_words))
    click.echo(f"decisions are in {out}")


def _write(decisions: object, out: Path) -> None:
    """The whole file or none: it takes its name when it is complete."""
    from pyarrow import parquet

    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    try:
        with space_for(out):
            parquet.write_table(decisions, partial)
            partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
