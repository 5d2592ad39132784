"""The tables of a site: runs, families and solvers with their pages, who wins where, and how times change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports import environments
from reports.answer import preferred
from reports.panel import slug
from reports.shown import ABSENT, Cell, Column, Table, digits, factor, listed, power
from reports.site_runs import Run
from reports.time_texts import AT_LEAST, AT_MOST, NOT_COMPARABLE, bound, seconds_of


def columns(*titles: str, text: int) -> list[Column]:
    """The first `text` of them hold text, the others numbers."""
    return [Column(title=title, numeric=k >= text) for k, title in enumerate(titles)]


def run_table(runs: Sequence[Run]) -> Table:
    rows = []
    for run in runs:
        cases = run.loaded.cases
        machines = [environments.machine(row) for row in run.loaded.environments]
        suites = sorted(set(cases["suite"]) - {""})
        rows.append(
            [
                Cell(text=run.name, link=f"{run.folder}/report.html"),
                Cell(text=run.day or ABSENT),
                Cell(text="; ".join(dict.fromkeys(machines)) or "not said"),
                Cell(text=", ".join([*suites, *_others(run)]) or ABSENT),
                Cell(text=f"{len(cases):,}"),
                Cell(text=f"{cases['instance'].nunique() if len(cases) else 0:,}"),
                Cell(text=f"{cases['solver'].nunique() if len(cases) else 0:,}"),
            ]
        )
    titles = ("run", "since", "machine", "suites", "cases", "instances", "solvers")
    return _table("all-runs", "Every run, with its page", columns(*titles, text=4), rows)


def _others(run: Run) -> list[str]:
    """What a run holds beside cases."""
    loaded = run.loaded
    kinds = {
        "runs over ranks": loaded.scaling,
        "series of days": loaded.recurring,
        "whole decisions": loaded.whole,
        "serving from prices": loaded.serving,
    }
    return [name for name, rows in kinds.items() if rows]


def family_table(times: pd.DataFrame, titles: Mapping[str, str]) -> Table:
    """One row a family: what it is, and who wins how often with default options at the gap most users ask for."""
    rows = []
    for name, found in times.groupby("family", sort=True):
        target = preferred(found["target"].unique())
        asked = found[(found["target"] == target) & (found["division"] == "default")]
        places = asked.drop_duplicates(["run", "instance", "machine"])
        wins = won(asked)["solver"].value_counts()
        told = listed([f"{solver} {number}" for solver, number in wins.items()]) or "nobody"
        rows.append(
            [
                Cell(text=str(name), link=f"families/{slug(str(name))}/index.html"),
                Cell(text=titles.get(str(name), ABSENT)),
                Cell(text=f"{told} of {len(places)}", note=f"to {power(target)}"),
                Cell(text=f"{found['instance'].nunique():,}"),
            ]
        )
    return _table(
        "families", "Every family, with its page", columns("family", "what it is", "wins", "instances", text=3), rows
    )


def solver_table(times: pd.DataFrame, titles: Mapping[str, str]) -> Table:
    rows = []
    for name, found in times.groupby("solver", sort=True):
        reached = int(found["seconds"].notna().sum())
        rows.append(
            [
                Cell(text=str(name), link=f"solvers/{slug(str(name))}/index.html"),
                Cell(text=titles.get(str(name), ABSENT)),
                Cell(text=f"{len(won(found)):,}"),
                Cell(text=f"{reached:,}"),
                Cell(text=f"{len(found):,}"),
            ]
        )
    heads = columns("solver", "title", "wins", "reached", "asked", text=2)
    caption = "Every solver, with its page: on how many instances and gaps it was asked, reached the gap, and won"
    return _table("solvers", caption, heads, rows)


def won(times: pd.DataFrame) -> pd.DataFrame:
    return times[(times["verdict"] == "win") & (times["winner"] == times["competitor"])]


def lost(times: pd.DataFrame) -> pd.DataFrame:
    """Where it was asked and another was clearly faster, or reached the gap alone.

    Nobody who was there at an unknown time before T was slower than another.
    """
    beaten = [
        row["winner"] != row["competitor"]
        and not (isinstance(row["level"], list) and row["competitor"] in row["level"])
        for row in times[["winner", "competitor", "level"]].to_dict("records")
    ]
    known = ~times["at_most"] | times["seconds"].isna()
    return times[pd.Series(beaten, index=times.index, dtype=bool) & times["winner"].notna() & known]


def place_table(rows: pd.DataFrame, runs: Mapping[str, Run], name: str, caption: str) -> Table:
    """One row a time, beside that of the fastest of its place; the gap that most users ask for first."""
    first = preferred(rows["target"].unique())
    rows = rows.assign(ratio=rows["seconds"] / rows["fastest"], later=rows["target"] != first)
    rows = rows.sort_values(["later", "target", "instance", "run", "ratio"], ascending=[True, False, True, True, True])
    titles = ("instance", "solver", "run", "fastest", "gap", "seconds", "of the fastest", "times the fastest")
    cells = [_place_cells(row, runs) for row in rows.to_dict("records")]
    kept = rows.drop(columns=["level", "later"])
    return _table(name, caption, columns(*titles, text=4), cells, kept)


def _place_cells(row: Mapping[Any, Any], runs: Mapping[str, Run]) -> list[Cell]:
    reached = pd.notna(row["seconds"])
    return [
        Cell(text=row["instance"], link=f"../../families/{slug(row['family'])}/index.html"),
        Cell(text=row["competitor"]),
        Cell(text=row["run"], link=f"../../{runs[row['run']].folder}/report.html"),
        Cell(text=row["winner"] if pd.notna(row["winner"]) else "nobody", note=row["verdict"]),
        Cell(text=power(row["target"])),
        Cell(text=seconds_of(row) if reached else "not reached", muted=not reached),
        Cell(text=bound(digits(row["fastest"]), AT_MOST if row["fastest_at_most"] is True else "")),
        Cell(text=_times_the_fastest(row) if reached else ABSENT),
    ]


def _times_the_fastest(row: Mapping[Any, Any]) -> str:
    """1 for the fastest; no factor is made of a time that is not known."""
    if row["at_most"] and row["winner"] != row["competitor"]:
        return NOT_COMPARABLE
    return bound(factor(row["ratio"]), AT_LEAST if row["fastest_at_most"] is True and row["ratio"] > 1 else "")


def _table(
    name: str, caption: str, heads: list[Column], rows: list[list[Cell]], frame: pd.DataFrame | None = None
) -> Table:
    """`frame`: the file, where it holds more than the texts of the page."""
    if frame is None:
        frame = pd.DataFrame([[cell.text for cell in row] for row in rows], columns=[head.title for head in heads])
    return Table(name=name, caption=caption, columns=heads, rows=rows, frame=frame)
