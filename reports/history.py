"""How times change from run to run: what was measured in several runs on like hardware, as figures and one table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from reports import figures
from reports.answer import preferred
from reports.canvas import Drawing
from reports.palette import Style, styles
from reports.panel import Axis, Line, panel, seconds_text, slug, value_range
from reports.section import Section
from reports.shown import ABSENT, Cell, Column, Table, digits, factor, plural, power
from reports.site_runs import Run
from reports.time_texts import NOT_COMPARABLE, seconds_of

#: Two times of one thing in the history are the same where they differ by less: noise of a shared machine.
SAME = 1.1
INSTANCES_DRAWN = 24
#: What a time is of: the same thing in two runs has them all in common.
_THING = ["instance", "solver", "competitor", "target", "hardware", "division"]


def changes(times: pd.DataFrame) -> pd.DataFrame:
    """The rows of site_runs.Run.times of things that were measured in several runs, in the order of their days.

    before: the seconds in the run before. ratio: of the seconds to those; NaN where one of the two is at_most.
    """
    rows = times.dropna(subset="seconds").sort_values([*_THING, "day", "run"])
    rows = rows[rows.groupby(_THING)["run"].transform("nunique") > 1]
    before = rows.groupby(_THING)[["seconds", "at_most"]].shift()
    known = ~rows["at_most"] & ~before["at_most"].isin([True])
    return rows.assign(before=before["seconds"], ratio=(rows["seconds"] / before["seconds"]).where(known))


def looks_of(found: pd.DataFrame) -> dict[str, Style]:
    """How each solver in `changes` is drawn."""
    solver_of = dict(zip(found["competitor"], found["solver"], strict=True))
    return {name: replace(look, number=k) for k, (name, look) in enumerate(styles(solver_of).items())}


def section(found: pd.DataFrame, runs: Mapping[str, Run]) -> Section:
    """The figures and the table of the page of the history. found: `changes`."""
    lead = ["Only what was measured on like hardware in several runs is compared; another day is another noise."]
    return Section(
        anchor="history",
        title="From run to run",
        lead=lead if len(found) else ["Nothing was measured in two runs on like hardware."],
        drawings=_drawings(found),
        tables=[table(found, runs)],
    )


def _drawings(found: pd.DataFrame) -> list[Drawing]:
    """One panel an instance and machine: seconds of each solver to the gap that most users ask for, run by run."""
    if found.empty:
        return []
    looks = looks_of(found)
    target = preferred(found["target"].unique())
    panels = list(found[found["target"] == target].groupby(["instance", "hardware"], sort=True))
    kept = set(figures.chosen([str(k) for k in range(len(panels))], INSTANCES_DRAWN))
    return [_drawing(rows, str(name), k, target, looks) for k, ((name, _), rows) in enumerate(panels) if str(k) in kept]


def _drawing(rows: pd.DataFrame, instance: str, number: int, target: float, looks: figures.Styles) -> Drawing:
    order = rows.drop_duplicates("run").sort_values(["day", "run"])
    at = {name: k for k, name in enumerate(order["run"])}
    times = rows[["seconds", "least", "most"]].clip(lower=figures.SHORTEST_TIME)
    rows = rows.assign(**times, at=rows["run"].map(at)).sort_values("at")
    lines = [
        Line(
            name=str(solver),
            x=line["at"].to_numpy(dtype=float),
            y=line["seconds"].to_numpy(),
            filled=figures.trusted(line),
            y_range=(line["least"].to_numpy(), line["most"].to_numpy()),
            marks=figures.marks(line),
        )
        for solver, line in rows.groupby("competitor")
    ]
    drawn = panel(
        lines,
        looks,
        name=f"history-{number}-{slug(instance)}",
        title=instance,
        x=Axis("run, by its first day", 0.0, 1.0, str, names=[day[5:] or name for name, day in _days(order)]),
        y=Axis(f"seconds to gap {power(target)}", *value_range(rows[["least", "most"]]), seconds_text),
    )
    return replace(drawn, instance=instance)


def _days(order: pd.DataFrame) -> list[tuple[str, str]]:
    return list(order[["run", "day"]].itertuples(index=False, name=None))


def table(found: pd.DataFrame, runs: Mapping[str, Run]) -> Table:
    """found: `changes`; each time against that of the run before."""
    cells = [
        [
            Cell(text=row["instance"]),
            Cell(text=row["competitor"]),
            Cell(
                text=row["run"], link=f"../{runs[row['run']].folder}/report.html", note=f"{row['day']} {row['commit']}"
            ),
            Cell(text=row["version"] or ABSENT),
            Cell(text=_change(row)),
            Cell(text=power(row["target"])),
            Cell(text=seconds_of(row), note=_range(row)),
        ]
        for row in found.to_dict("records")
    ]
    titles = ("instance", "solver", "run", "version", "against the one before", "gap", "seconds")
    return Table(
        name="history",
        caption=f"Seconds of run in every run, against the run before; {plural(len(runs), 'run')} in all",
        columns=[Column(title=title, numeric=k > 4) for k, title in enumerate(titles)],
        rows=cells,
        frame=found.drop(columns=["level", "given_less"], errors="ignore"),
    )


def _change(row: Mapping[Any, Any]) -> str:
    ratio = row["ratio"]
    if math.isnan(row["before"]):
        return "the first"
    if math.isnan(ratio):
        return NOT_COMPARABLE
    if 1 / SAME <= ratio <= SAME:
        return "level"
    return f"{factor(max(ratio, 1 / ratio))} {'slower' if ratio > 1 else 'faster'}"


def _range(row: Mapping[Any, Any]) -> str:
    return f"{digits(row['least'])} to {digits(row['most'])}" if row["repeats"] > 1 else "one run"
