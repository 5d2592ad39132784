"""Whole decisions beside the LP, and serving from prices: rows of kind "whole" and "serving" as two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports.shown import ABSENT, Cell, Column, Table, count, digits, factor, measured

DEFINITIONS = (
    "The gap of whole decisions is that of x of whole numbers against the bound of the LP's prices, by the referee; "
    "seconds are prepare and run of the LP, and the making of whole decisions alone, medians where something was "
    "repeated.",
)
SERVING_DEFINITIONS = (
    "A sample of the sources is solved with its share of the budgets; all others answer its prices by themselves. "
    "Objective: of what they take, over the bound of their LP. Overrun: what all rows are beyond their budgets, over "
    "the sum of the budgets. Lost: the certified gap once the referee has cut the overrun back.",
)
#: A whole decision this near to the best known counts as found.
_NEAR = 0.01


def whole_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row an instance, solver, effort and threads: medians of seconds over the repeats, the rest of the first."""
    frame = pd.DataFrame([_whole(row) for row in rows])
    group = ["instance", "solver", "effort", "threads"]
    seconds = frame.groupby(group, sort=False)[["lp_seconds", "whole_seconds"]].median()
    first = frame.drop_duplicates(group).drop(columns=["lp_seconds", "whole_seconds"])
    found = first.merge(seconds.reset_index(), on=group)
    found["ratio"] = found["whole_seconds"] / found["lp_seconds"]
    return found


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    seconds = row["seconds"]
    return {
        "instance": row["instance"],
        "solver": row["solver"],
        "effort": row["effort"],
        "threads": row["settings"].get("threads"),
        "edges": row["edges"],
        "lp_seconds": (seconds.get("prepare") or 0.0) + (seconds.get("run") or 0.0),
        "whole_seconds": seconds.get("whole"),
        "kept": row["kept"],
        "gap": row["gap"],
        "bound_gap": row["bound_gap"],
        "objective": row["certificate"].get("objective"),
        "decided": row["decided"],
        "undecided": sum(row["undecided"].values()),
        "best_known": row.get("best_known"),
        "above_best": row.get("above_best"),
    }


def near_the_best(whole: pd.DataFrame) -> list[str]:
    """How many instances with a best known value keep all limits, and end near that value."""
    known = whole.dropna(subset="best_known")
    if known.empty:
        return []
    near = known[known["kept"] & (known["above_best"] <= _NEAR)]
    return [
        f"Of {len(known)} instances with a best known value, {int(known['kept'].sum())} keep every limit and "
        f"{len(near)} end within {100 * _NEAR:g} % of it."
    ]


def whole_table(whole: pd.DataFrame) -> Table:
    best = whole["best_known"].notna().any()
    columns = [
        Column(title="instance", numeric=False),
        Column(title="edges"),
        Column(title="LP", unit="s"),
        Column(title="whole", unit="s"),
        Column(title="whole × LP"),
        Column(title="gap of the LP"),
        Column(title="gap of whole decisions"),
        Column(title="sources decided"),
        Column(title="not"),
        *([Column(title="above the best known")] if best else []),
    ]
    rows = [
        [
            Cell(text=row["instance"], note=row["solver"]),
            Cell(text=count(row["edges"])),
            Cell(text=digits(row["lp_seconds"])),
            Cell(text=digits(row["whole_seconds"])),
            Cell(text=factor(row["ratio"])),
            Cell(text=measured(row["bound_gap"])),
            Cell(text=measured(row["gap"]), note="" if row["kept"] else "a limit is left"),
            Cell(text=count(row["decided"])),
            Cell(text=count(row["undecided"])),
            *([Cell(text=_share(row["above_best"]))] if best else []),
        ]
        for row in whole.to_dict("records")
    ]
    return Table(name="whole", caption="Whole decisions beside the LP", columns=columns, rows=rows, frame=whole)


def serving_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    names = ("instance", "solver", "share", "sampled", "objective", "overrun", "rows_over", "lost")
    frame = pd.DataFrame([{name: row[name] for name in names} for row in rows])
    columns = [
        Column(title="instance", numeric=False),
        Column(title="sample"),
        Column(title="objective"),
        Column(title="overrun"),
        Column(title="rows over by 1 %"),
        Column(title="lost"),
    ]
    cells = [
        [
            Cell(text=row["instance"], note=row["solver"]),
            Cell(text=_share(row["share"])),
            Cell(text=_share(row["objective"])),
            Cell(text=_share(row["overrun"])),
            Cell(text=_share(row["rows_over"])),
            Cell(text=_share(row["lost"])),
        ]
        for row in frame.to_dict("records")
    ]
    return Table(
        name="serving", caption="Serving from the prices of a sample", columns=columns, rows=cells, frame=frame
    )


def _share(value: Any) -> str:
    """1.25 %."""
    return ABSENT if value is None or pd.isna(value) else f"{digits(100 * value)} %"
