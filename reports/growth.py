"""How the time to a gap grows with the size of an instance: the exponent k of seconds ~ edges^k, by family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from reports import definitions, figures
from reports.section import Material, Section
from reports.shown import Cell, Column, Table, compact, digits, power
from reports.tables import Styles, solver_cell


def growth(outcomes: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """One row a target, series of instances and competitor that reached the target in known times at two sizes or more.

    sizes: figures.sizes_of; the instances of a series differ in size alone, and only their size in edges counts.
    exponent: the slope of log seconds over log edges, by least squares over the sizes (where a size came twice, the
    geometric mean of its times). least, most: the range of the slopes between neighbouring sizes. points: how many
    sizes. smallest, largest: in edges.
    """
    reached = outcomes[outcomes["seconds"].notna() & ~outcomes["at_most"]].join(sizes, on="instance")
    reached = reached[(reached["edges"] > 0) & (reached["seconds"] > 0)]
    logs = reached.assign(size=np.log(reached["edges"].astype(float)), time=np.log(reached["seconds"].astype(float)))
    rows = []
    for (target, series, competitor), points in logs.groupby(["target", "series", "competitor"], observed=True):
        found = _slopes(points.groupby("size")["time"].mean())
        if found:
            rows.append({"target": target, "series": series, "competitor": competitor, **found})
    columns = ["target", "series", "competitor", "exponent", "least", "most", "points", "smallest", "largest"]
    return pd.DataFrame(rows, columns=columns)


def _slopes(points: pd.Series) -> dict[str, Any]:
    """Of log seconds by log edges, in ascending order; nothing for one size."""
    if len(points) < 2:
        return {}
    size = points.index.to_numpy(dtype=float)
    time = points.to_numpy()
    between = np.diff(time) / np.diff(size)
    return {
        "exponent": float(np.polyfit(size, time, 1)[0]),
        "least": float(between.min()),
        "most": float(between.max()),
        "points": len(points),
        "smallest": round(np.exp(size[0])),
        "largest": round(np.exp(size[-1])),
    }


def section(material: Material) -> Section | None:
    """The section of the page; None where no family has two sizes."""
    found = growth(material.outcomes, figures.sizes_of(material.cases))
    if found.empty:
        return None
    return Section(
        anchor="growth",
        title="How the time grows with the size",
        lead=["The exponent k of seconds ~ edges^k within a family: 1 is proportional to the size, 2 quadratic."],
        see=[definitions.TIME],
        tables=list(_tables(found, material.styles)),
    )


def _tables(found: pd.DataFrame, styles: Styles) -> Iterator[Table]:
    """One a target."""
    for target, rows in found.groupby("target", sort=True):
        yield Table(
            name=f"growth-{power(target)}",
            caption=f"Exponent of the time to a gap of {power(target)} in the edges; below: between neighbouring sizes",
            columns=[
                Column(title="family", numeric=False),
                Column(title="solver", numeric=False),
                Column(title="exponent"),
                Column(title="sizes"),
                Column(title="edges", numeric=False),
            ],
            rows=[
                [
                    Cell(text=str(row["series"])),
                    solver_cell(row["competitor"], styles),
                    Cell(text=digits(row["exponent"]), note=_range(row)),
                    Cell(text=str(row["points"])),
                    Cell(text=f"{compact(row['smallest'])} to {compact(row['largest'])}"),
                ]
                for row in rows.to_dict("records")
            ],
            frame=rows,
            gap=power(target),
        )


def _range(row: dict[Any, Any]) -> str:
    return f"{digits(row['least'])} to {digits(row['most'])}" if row["points"] > 2 else ""
