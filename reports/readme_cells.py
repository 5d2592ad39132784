"""The tables of README.md: ours against the fastest of the others, and how a solver grows that was measured alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from harness.records import DISTURBED
from reports.shown import Cell, Column, Table, compact, count, digits, measured, power
from reports.stands import OURS, Stand, Verdict

_GIBIBYTE = 2**30


def against_others(found: list[Stand], edges: Mapping[str, float], gaps: Sequence[float]) -> Table:
    """One row an instance: our seconds to each gap, the fastest other and its seconds, and the factor between them."""
    by = {(stand.instance, stand.gap): stand for stand in found}
    rows = [
        [
            Cell(text=name),
            Cell(text=count(edges[name])),
            *(cell for gap in gaps for cell in _cells(by.get((name, gap)))),
        ]
        for name in dict.fromkeys(stand.instance for stand in found)
    ]
    heads = [(OURS, True), ("fastest other", False), ("its time", True), ("factor", True)]
    columns = [
        Column(title=title, numeric=numeric, group=f"to {power(gap)}") for gap in gaps for title, numeric in heads
    ]
    return Table(
        name="against-others",
        caption="Seconds of run",
        columns=[Column(title="instance", numeric=False), Column(title="edges"), *columns],
        rows=rows,
        frame=pd.DataFrame(map(asdict, found)),
    )


def _cells(stand: Stand | None) -> Iterator[Cell]:
    """The time of who is clearly faster is set off."""
    if stand is None:
        yield from (Cell(text=text) for text in ("", "none asked", "", ""))
        return
    yield Cell(text=stand.ours, best=stand.verdict in (Verdict.FASTER, Verdict.IN_RUN))
    yield Cell(text=stand.rival)
    yield Cell(text=stand.seconds, best=stand.verdict in (Verdict.SLOWER, Verdict.MISSED))
    yield Cell(text=stand.factor)


def alone(cases: pd.DataFrame, gap: float) -> Table:
    """One row an instance: the sizes, and what the fastest run to `gap` took in each step."""
    reached = cases[cases["accuracy"].between(0, gap)].sort_values("run", kind="stable")
    first = reached.drop_duplicates("instance").sort_values("instance")
    heads = ("run", "iterations", "certified gap", "generate", "prepare", "referee", "peak memory, GiB")
    return Table(
        name="alone",
        caption="Seconds",
        columns=[Column(title=title) for title in ("sources x destinations", "edges", "cells", *heads)],
        rows=[
            [
                Cell(text=f"{count(row['sources'])} x {count(row['destinations'])}"),
                Cell(text=count(row["edges"])),
                Cell(text=compact(row["cells"])),
                Cell(text=f"{digits(row['run'])}{DISTURBED if row['disturbed'] else ''}"),
                Cell(text=count(row["iterations"])),
                Cell(text=measured(row["accuracy"])),
                *(Cell(text=digits(row[step])) for step in ("generate", "prepare", "referee")),
                Cell(text=digits(row["host_memory"] / _GIBIBYTE)),
            ]
            for row in first.to_dict("records")
        ],
        frame=first,
    )
