"""The commands about what there is: `solvers`, `instances`, and `generate`, which writes one of them."""

from __future__ import annotations

from pathlib import Path

import click

from instances.errors import InputError


@click.command()
def solvers() -> None:
    """List the solvers: id, version, devices, kinds of rows, and where one is not available what to install."""
    from rich.table import Table

    from harness.cards import listing
    from harness.display import wide_console
    from instances.row_kinds import rows_taken

    known = listing()
    table = Table("id", "version", "devices", "rows", "available", "title")
    for card in known.cards.values():
        able = card.availability
        table.add_row(
            card.id,
            able.version,
            ", ".join(card.devices),
            rows_taken(card.rows),
            "yes" if able.ok else f"no: {able.reason}; {able.remedy}",
            card.title,
        )
    console = wide_console()
    console.print(table)
    for line in known.broken:
        console.print(line, style="yellow", soft_wrap=True)


@click.command(name="instances")
@click.argument("spec", required=False)
def list_instances(spec: str | None) -> None:
    """List the families and the named instances with their sizes, or describe SPEC in words.

    SPEC is a name, a text such as unit:sources=1000,destinations=50 or mps:path=FILE, or a folder that
    `dualbench generate` wrote.
    """
    from rich.table import Table

    if spec is not None:
        return _describe(spec)

    from harness.display import wide_console
    from instances import family, family_names, memory_bytes, named_instances, parse_spec

    families = Table("family", "what it is", title="families", title_justify="left")
    for name in family_names():
        families.add_row(name, family(name).title)
    named = Table("name", "family", title="named instances", title_justify="left")
    for column in ("sources", "destinations", "edges", "cells", "memory"):
        named.add_column(column, justify="right", no_wrap=True)
    for name, text in named_instances().items():
        known = parse_spec(text)
        sizes = (known.sources, known.destinations, known.expected_edges, known.sources * known.destinations)
        named.add_row(name, known.family, *(f"{size:,}" for size in sizes), f"{memory_bytes(known) / 2**20:,.0f} MiB")
    wide_console().print(families, named)
    return None


def _describe(spec: str) -> None:
    """One line a topic; an instance that the memory cannot hold is refused before it is made."""
    from harness.describe import description
    from instances import MpsSpec, available_memory, named_instances, parse_spec, peak_memory_bytes
    from instances import generate as make

    parsed = parse_spec(f"parquet:path={spec}" if Path(spec).is_dir() else named_instances().get(spec, spec))
    needed = peak_memory_bytes(parsed)
    free = available_memory()
    if needed > free:
        raise InputError(
            f"{spec} needs {needed / 2**30:.3g} GiB to be described, {free / 2**30:.3g} GiB are free: "
            "describe a smaller one of its family"
        )
    told = parsed.report.lines() if isinstance(parsed, MpsSpec) else []
    for topic, sentence in (*told, *description(make(parsed))):
        click.echo(f"{topic:<10}{sentence}")


@click.command()
@click.argument("spec")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write.")
def generate(spec: str, out: Path) -> None:
    """Write the instance SPEC (a name or a text such as unit:sources=1000,destinations=50) as Parquet into DIR."""
    from instances import generate as make
    from instances import named_instances, parse_spec, write_parquet

    parsed = parse_spec(named_instances().get(spec, spec))
    lp = make(parsed)
    write_parquet(lp, out, parsed.text)
    click.echo(f"{out}: {lp.sources:,} sources, {lp.destinations:,} destinations, {lp.edges:,} edges")


COMMANDS = (solvers, list_instances, generate)
