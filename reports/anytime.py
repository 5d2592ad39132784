"""The certified gap over time: every point is a run that the referee judged, cut short at one of a row of limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from reports import definitions, figures
from reports.canvas import Drawing
from reports.panel import Axis, Line, panel, seconds_text, slug, value_range
from reports.section import Material, Section
from reports.shown import Cell, Column, Table, digits, measured, power
from reports.tables import Styles, solver_cell

INSTANCES_DRAWN = 24
_COLUMNS = ["instance", "competitor", "machine", "division", "time_limit", "run", "accuracy"]


def points(cut_short: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """One row a run with a certified gap, by instance, competitor and seconds of run.

    cut_short: Loaded.anytime. cases: of them those at the tightest tolerance of each competitor that was cut short are
    points as well, where it ended by itself. best: the least gap so far.
    """
    if cut_short.empty:
        return pd.DataFrame(columns=[*_COLUMNS, "best"])
    asked = cut_short[["instance", "competitor", "tolerance"]].drop_duplicates().astype({"instance": str})
    whole = cases.astype({"instance": str}).merge(asked, on=["instance", "competitor", "tolerance"])
    rows = pd.concat([cut_short.astype({"instance": str})[_COLUMNS], whole[_COLUMNS]], ignore_index=True)
    rows = rows[(rows["accuracy"] >= 0) & rows["run"].notna()].sort_values(["instance", "competitor", "run"])
    return rows.assign(best=rows.groupby(["instance", "competitor"])["accuracy"].cummin()).reset_index(drop=True)


def drawing(found: pd.DataFrame, instance: str, styles: Styles) -> Drawing | None:
    """Best certified gap so far against seconds of run; a step down is a run that was better than all shorter ones."""
    rows = found[found["instance"] == instance]
    rows = rows.assign(
        run=rows["run"].clip(lower=figures.SHORTEST_TIME), best=rows["best"].clip(lower=figures.SMALLEST_GAP)
    )
    if rows.empty:
        return None
    last = float(rows["run"].max())
    lines = [_stairs(str(solver), line, last) for solver, line in rows.groupby("competitor")]
    return panel(
        lines,
        styles,
        name=f"anytime-{slug(instance)}",
        title=instance,
        x=Axis("seconds of run", *value_range(rows["run"]), seconds_text),
        y=Axis("best certified gap so far", *value_range(rows["best"]), power),
    )


def _stairs(solver: str, rows: pd.DataFrame, last: float) -> Line:
    """A gap holds until a longer run certifies a smaller one, and to the end of the figure."""
    seconds = rows["run"].to_numpy()
    best = rows["best"].to_numpy()
    return Line(name=solver, x=np.append(np.repeat(seconds, 2)[1:], last), y=np.repeat(best, 2))


def table(found: pd.DataFrame, styles: Styles) -> Table:
    """Every run that is a point."""
    titles = ("limit", "run", "certified gap", "best so far")
    return Table(
        name="anytime",
        caption="Runs cut short at a row of time limits, and those that were not: the gap that the referee certified",
        columns=[
            Column(title="instance", numeric=False),
            Column(title="solver", numeric=False),
            *(Column(title=title, unit="s" if title in ("limit", "run") else "") for title in titles),
        ],
        rows=[
            [
                Cell(text=row["instance"]),
                solver_cell(row["competitor"], styles),
                Cell(text=digits(row["time_limit"])),
                Cell(text=digits(row["run"])),
                Cell(text=measured(row["accuracy"])),
                Cell(text=measured(row["best"])),
            ]
            for row in found.to_dict("records")
        ],
        frame=found,
    )


def anytime(material: Material) -> Section | None:
    """The section of the page; None where no run was cut short."""
    found = points(material.loaded.anytime, material.cases)
    names = figures.chosen([name for name in material.instances if name in set(found["instance"])], INSTANCES_DRAWN)
    drawn = [(name, drawing(found, name, material.styles)) for name in names]
    if not any(made for _, made in drawn):
        return None
    return Section(
        anchor="anytime",
        title="Certified gap over time",
        lead=[
            "Each step is a run of its own, cut short at one of a row of time limits and judged by the referee; the "
            "line is the best gap so far. A solver that gives no point when it is cut short has none. These runs are "
            "in no ranking: nobody knows beforehand which limit is enough."
        ],
        see=[definitions.GAP],
        drawings=[replace(made, instance=name) for name, made in drawn if made is not None],
        tables=[table(found, material.styles)],
    )
