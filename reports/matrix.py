"""The first table of the page: instance x solver at one gap, above it the scaled means and the numbers solved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.records import DISTURBED, TOO_SHORT
from reports import means, wins
from reports.rankings import Ranking
from reports.shown import ROWS_SHOWN, Cell, Column, Table, compact, digits, power
from reports.tables import Styles, mean_cell, solver_column
from reports.time_texts import AT_MOST_MEANS, limit_signs, limits_of, runs_behind, seconds_of

Rates = Mapping[str, Mapping[Any, Any]]
#: What a cell without seconds says, and the sign of a point within tolerance, not feasible.
MISSED = "missed"
NEAR = "≈"


def matrix(found: pd.DataFrame, cases: pd.DataFrame, target: float, styles: Styles, ranking: Ranking) -> Table:
    """Seconds of run to `target`: one row an instance in the order of the cases, one column a solver asked for it.

    found, cases: of `ranking` alone, found from outcomes.outcomes. The solver with the smallest mean stands first.
    """
    rows = found[(found["target"] == target) & found["asked"]]
    rows = rows.assign(fastest=_fastest(rows))
    rates = _rates(rows)
    solvers = list(rates)

    sizes = cases.groupby("instance", observed=True)["edges"].max()
    cells = {(row["instance"], row["competitor"]): _cell(row) for row in rows.to_dict("records")}
    instances = [name for name in sizes.index if name in set(rows["instance"])]
    body = [
        [
            Cell(text=str(name)),
            Cell(text=compact(sizes[name])),
            *(cells.get((name, solver), Cell(text="")) for solver in solvers),
        ]
        for name in instances[:ROWS_SHOWN]
    ]
    return Table(
        name=f"matrix-{power(target)}{ranking.suffix}",
        caption="; ".join(filter(None, (_caption(rows, target, rates), ranking.label))),
        columns=[
            Column(title="instance", numeric=False),
            Column(title="edges"),
            *(solver_column(solver, styles, ranking) for solver in solvers),
        ],
        rows=[*_above(rates), *body],
        frame=rows.drop(columns="target"),
        left_out=max(0, len(instances) - ROWS_SHOWN),
        pinned=len(_above(rates)),
        gap=power(target),
    )


def _fastest(rows: pd.DataFrame) -> pd.Series:
    """Whether a time is known to be the shortest of its instance, or level with it, where a rival was asked as well."""
    rivals = rows.groupby("instance", observed=True)["asked"].transform("sum") > 1
    return wins.level_with_fastest(rows) & rivals & ~wins.undecided(rows)


def _rates(rows: pd.DataFrame) -> Rates:
    """means.success of each solver: by mean; those without one by how many they reached; then by name."""
    rates = means.success(rows).to_dict("records") if len(rows) else []
    mean_of = {rate["competitor"]: float(rate["common_mean"]) for rate in rates}

    def rank(rate: Mapping[Any, Any]) -> tuple[float, float, str]:
        mean = mean_of[rate["competitor"]]
        return math.inf if math.isnan(mean) else mean, -float(rate["reached"]), str(rate["competitor"])

    return {str(rate["competitor"]): rate for rate in sorted(rates, key=rank)}


def _above(rates: Rates) -> list[list[Cell]]:
    """The rows above the instances: means over the common ones with the least as 1, and how many were solved."""
    if len(rates) < 2:
        return []
    reached = [f"{rate['reached']:.0f} of {rate['asked']:.0f}" for rate in rates.values()]
    solved = [Cell(text="solved"), Cell(text=""), *(Cell(text=text) for text in reached)]

    if all(math.isnan(rate["common_mean"]) for rate in rates.values()):
        return [solved]
    common = next(iter(rates.values()))["common"]
    title = Cell(text="scaled mean", note=f"of {common} in common")
    return [[title, Cell(text=""), *(mean_cell(rate, "common") for rate in rates.values())], solved]


def _cell(row: Mapping[Any, Any]) -> Cell:
    """Seconds with their marks; prepare below them where it takes longer."""
    if pd.isna(row["seconds"]):
        return Cell(text=MISSED, note="\n".join(limits_of(row)), muted=True)
    near = NEAR if row["near"] is True else ""
    long_prepare = row["prepare"] > row["seconds"]
    notes = [f"+ {digits(row['prepare'])} prepare"] * long_prepare + limits_of(row)
    return Cell(text=f"{seconds_of(row)}{near}", note="\n".join(notes), best=bool(row["fastest"]))


def _caption(rows: pd.DataFrame, target: float, rates: Rates) -> str:
    """What the cells hold; of the signs, those that occur."""
    signs = {
        "set off: the fastest, or level with it": rows["fastest"].any(),
        f"{MISSED}: asked for the gap, not reached": rows["seconds"].isna().any(),
        AT_MOST_MEANS: rows["at_most"].any(),
        **limit_signs(rows),
        "empty: not asked": len(rows) < len(rates) * rows["instance"].nunique(),
        f"{NEAR}: within tolerance, not feasible": rows["near"].isin([True]).any(),
        f"{DISTURBED}: disturbed": rows["disturbed"].any(),
        f"{TOO_SHORT}: too short to tell": (rows["too_short"] & ~rows["disturbed"]).any(),
    }
    told = [sign for sign, occurs in signs.items() if occurs]
    return "; ".join([f"Seconds of run to a certified gap of {power(target)}, {runs_behind(rows)}", *told])
