"""What every solver did on every instance at every tolerance: one row, medians over its repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.records import DISTURBED
from reports.outcomes import cut
from reports.shown import Cell, Column, Table, count, digits, measured, power
from reports.tables import Styles, solver_cell

#: Steps of a case from the instance to the judged answer, in their order.
STEPS = ("generate", "warm_up", "prepare", "run", "referee")
#: Of the point that is judged: the first that is there is shown.
OBJECTIVES = ("feasible_objective", "priced_objective", "objective")
KEY = ["instance", "competitor", "tolerance"]


def runs(cases: pd.DataFrame) -> pd.DataFrame:
    """One row an instance, competitor and tolerance that was tried; medians over repeats.

    end_to_end: the seconds of all STEPS that ended. status: of the first repeat that was not solved, else solved.
    cut: whether a limit of the suite ended one of them. least, most: the range of the seconds of run.
    """
    tried = cases[cases["status"] != "skipped"]
    tried = tried.assign(
        end_to_end=tried[list(STEPS)].sum(axis=1, min_count=1),
        unsolved=tried["status"].where(tried["status"] != "solved"),
        marked=tried["disturbed"] != "",
        cut=cut(tried),
    )
    numbers = ("accuracy", *OBJECTIVES, "dual_bound", "iterations", *STEPS, "end_to_end")
    table = tried.groupby(KEY, observed=True, dropna=False).agg(
        edges=("edges", "max"),
        repeats=("status", "size"),
        unsolved=("unsolved", "first"),
        **{name: (name, "median") for name in numbers},
        least=("run", "min"),
        most=("run", "max"),
        disturbed=("marked", "any"),
        cut=("cut", "any"),
    )
    table.insert(2, "status", table.pop("unsolved").fillna("solved"))
    return table.reset_index()


def runs_table(found: pd.DataFrame, styles: Styles) -> Table:
    """Objective and bound, iterations, and where the seconds went, warm-up and end to end included."""
    return Table(
        name="runs",
        caption="Every solver on every instance at every tolerance, medians over the repeats; seconds of each step",
        columns=[
            Column(title="instance", numeric=False),
            Column(title="solver", numeric=False),
            Column(title="edges"),
            Column(title="asked"),
            Column(title="status", numeric=False),
            Column(title="certified gap"),
            Column(title="objective"),
            Column(title="bound"),
            Column(title="iterations"),
            *(Column(title=step.replace("_", "-")) for step in STEPS),
            Column(title="end to end"),
            Column(title="runs"),
        ],
        rows=[_cells(row, styles) for row in found.to_dict("records")],
        frame=found,
    )


def _cells(row: Mapping[Any, Any], styles: Styles) -> list[Cell]:
    mark = DISTURBED if row["disturbed"] else ""
    objectives = [row[name] for name in OBJECTIVES if pd.notna(row[name])]
    return [
        Cell(text=str(row["instance"])),
        solver_cell(row["competitor"], styles),
        Cell(text=count(row["edges"])),
        Cell(text=power(row["tolerance"])),
        Cell(text=row["status"].replace("_", " ")),
        Cell(text=measured(row["accuracy"])),
        Cell(text=_value(next(iter(objectives), float("nan")))),
        Cell(text=_value(row["dual_bound"])),
        Cell(text=count(row["iterations"])),
        *(Cell(text=f"{digits(row[step])}{mark if step == 'run' else ''}") for step in STEPS),
        Cell(text=digits(row["end_to_end"])),
        Cell(text=count(row["repeats"])),
    ]


def _value(value: float) -> str:
    """Eight digits: objective and bound differ behind the fourth."""
    return digits(value) if pd.isna(value) else f"{value:.8g}"
