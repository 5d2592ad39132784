"""The tables of the report, built from outcomes.py."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from reports.csv_cells import safe_texts
from reports.definitions import STATUSES
from reports.palette import Style
from reports.rankings import Ranking, rankings
from reports.shown import (
    ABSENT,
    MEBIBYTE,
    ROWS_SHOWN,
    Cell,
    Column,
    Table,
    compact,
    count,
    digits,
    measured,
    percent,
    power,
)
from reports.time_texts import scaled_mean_cell

Styles = Mapping[str, Style]


def instance_cells(cases: pd.DataFrame) -> dict[str, Cell]:
    """The first cell of a row: name, and below it family and size."""
    first = cases.drop_duplicates("instance").sort_values("instance")
    return {row["instance"]: Cell(text=row["instance"], note=_size(row)) for row in first.to_dict("records")}


def _size(row: Mapping[Any, Any]) -> str:
    family = "" if row["instance"].startswith(row["family"]) else f"{row['family']}, "
    shape = f"{compact(row['sources'])} × {compact(row['destinations'])}"
    return f"{family}{shape}, {compact(row['edges'])} edges"


def form_table(forms: pd.DataFrame, named: Mapping[str, Cell]) -> Table:
    """One row an instance: what it is, and which solvers could not take it."""
    known = {row["instance"]: row for row in forms.to_dict("records")}
    shown = [known[instance] for instance in named if instance in known]
    rows = [
        [
            named[row["instance"]],
            Cell(text=row["row_kinds"] or ABSENT, note=_lines(row["families"])),
            Cell(text=_lines(row["polytopes"]) or ABSENT),
            Cell(text=row["tightness"] or "not tried"),
            Cell(text=_lines(row["not_taken"]) or "all took it", muted=not row["not_taken"]),
        ]
        for row in shown[:ROWS_SHOWN]
    ]
    titles = ("instance", "rows", "sources", "tightness", "could not take it")
    return Table(
        name="instances",
        caption="What each instance is, and which of the solvers asked could not take it, in their own words",
        columns=[Column(title=title, numeric=False) for title in titles],
        rows=rows,
        frame=forms,
        left_out=max(0, len(shown) - ROWS_SHOWN),
    )


def _lines(sentences: str) -> str:
    """One sentence a line."""
    return sentences.replace(". ", ".\n")


def memory_table(peaks: pd.DataFrame, named: Mapping[str, Cell], styles: Styles) -> Table:
    return grid(
        peaks,
        named,
        styles,
        name="memory",
        caption="MiB of host memory, the largest over the cases of a solver; below: of the device where it has one",
        cell=_memory_cell,
    )


def _memory_cell(row: Mapping[Any, Any]) -> Cell:
    device = row["device"]
    note = f"device {digits(device / MEBIBYTE)}" if pd.notna(device) and device > 0 else ""
    return Cell(text=digits(row["host"] / MEBIBYTE), note=note)


def grid(
    rows: pd.DataFrame,
    named: Mapping[str, Cell],
    styles: Styles,
    *,
    name: str,
    caption: str,
    cell: Callable[[Mapping[Any, Any]], Cell],
    ranking: Ranking | None = None,
) -> Table:
    """Instance x competitor; of one ranking alone where it is given."""
    cells = {(row["instance"], row["competitor"]): cell(row) for row in rows.to_dict("records")}
    known_solvers = set(rows["competitor"])
    known_instances = set(rows["instance"])
    solvers = [solver for solver in styles if solver in known_solvers]
    instances = [instance for instance in named if instance in known_instances]
    missing = Cell(text="not tried", muted=True)
    return Table(
        name=name,
        caption=caption,
        columns=[
            Column(title="instance", numeric=False),
            *(solver_column(solver, styles, ranking) for solver in solvers),
        ],
        rows=[
            [named[instance], *(cells.get((instance, solver), missing) for solver in solvers)]
            for instance in instances[:ROWS_SHOWN]
        ],
        frame=rows,
        left_out=max(0, len(instances) - ROWS_SHOWN),
    )


def success_tables(rates: pd.DataFrame, styles: Styles) -> list[Table]:
    """One table a ranking: solver x target."""
    return [_success_table(rows, ranking, styles) for ranking, rows in rankings(rates)]


def _success_table(rates: pd.DataFrame, ranking: Ranking, styles: Styles) -> Table:
    columns = [Column(title="solver", numeric=False)]
    for row in rates.drop_duplicates("target").sort_values("target", ascending=False).to_dict("records"):
        group = f"gap {power(row['target'])}, mean over {row['common']} common, shift {row['shift']:g} s"
        columns += [
            Column(title="reached", group=group),
            Column(title="mean", group=group),
            Column(title=f"of {row['all_solved']} solved by all", group=group),
        ]
    cells = {(row["competitor"], row["target"]): _success_cells(row) for row in rates.to_dict("records")}
    missing = [Cell(text="not asked", muted=True), *[Cell(text=ABSENT, muted=True)] * 2]
    asked = sorted(rates["target"].unique(), reverse=True)
    known = set(rates["competitor"])
    rows = [
        [solver_cell(solver, styles), *(cell for target in asked for cell in cells.get((solver, target), missing))]
        for solver in styles
        if solver in known
    ]

    among = f", {ranking.label}" if ranking.label else ""
    caption = (
        f"Success, and shifted geometric means of the time to each certified gap{among}: the fastest is 1, below it "
        "seconds; failures count as their limit among the common instances"
    )
    return Table(name=f"success{ranking.suffix}", caption=caption, columns=columns, rows=rows, frame=rates)


def _success_cells(row: Mapping[Any, Any]) -> list[Cell]:
    reached = f"{row['reached']:.0f} of {row['asked']:.0f}"
    return [
        Cell(text=reached, note=percent(row["reached"], row["asked"])),
        *(mean_cell(row, name) for name in ("common", "solved")),
    ]


def mean_cell(rate: Mapping[Any, Any], name: str) -> Cell:
    """The mean `name` of a row of means.success."""
    return scaled_mean_cell(
        rate[f"{name}_scaled"],
        rate[f"{name}_mean"],
        at_most=bool(rate.get(f"{name}_at_most", False)),
        scale_at_most=bool(rate.get(f"{name}_scale_at_most", False)),
    )


def claims_table(claims: pd.DataFrame, styles: Styles) -> Table:
    extra = ("claims", "confirmed", "overstated")
    statuses = [name for name in dict.fromkeys((*STATUSES, *claims.columns)) if name in set(claims.columns) - {*extra}]
    rows = [
        [
            solver_cell(row["competitor"], styles),
            Cell(text=count(row["claims"])),
            Cell(text=count(row["confirmed"])),
            Cell(text=percent(row["confirmed"], row["claims"]), best=row["claims"] == row["confirmed"] > 0),
            Cell(text=digits(row["overstated"])),
            *(Cell(text=count(row[status]), muted=row[status] == 0) for status in statuses),
        ]
        for row in claims.reset_index().to_dict("records")
    ]
    columns = [
        Column(title="solver", numeric=False),
        Column(title="claims", unit="cases"),
        Column(title="confirmed", unit="cases"),
        Column(title="correctness"),
        Column(title="worst gap / tolerance"),
        *(Column(title=status.replace("_", " "), unit="cases") for status in statuses),
    ]
    caption = "Claims of having reached the tolerance, those the referee confirmed, and how all cases ended"
    return Table(name="correctness", caption=caption, columns=columns, rows=rows, frame=claims.reset_index())


def failure_table(unsolved: pd.DataFrame, styles: Styles) -> Table:
    rows = [
        [
            Cell(text=str(row["instance"])),
            solver_cell(row["competitor"], styles),
            Cell(text=power(row["tolerance"])),
            Cell(text=row["status"].replace("_", " ")),
            Cell(text=count(row["cases"])),
            Cell(text=digits(row["seconds"])),
            Cell(text=measured(row["certified_gap"])),
            Cell(text=row["reason"] or "no reason recorded"),
        ]
        for row in unsolved.head(ROWS_SHOWN).to_dict("records")
    ]
    columns = [
        Column(title="instance", numeric=False),
        Column(title="solver", numeric=False),
        Column(title="tolerance"),
        Column(title="status", numeric=False),
        Column(title="cases"),
        Column(title="run", unit="s"),
        Column(title="certified gap"),
        Column(title="reason", numeric=False),
    ]
    left_out = max(0, len(unsolved) - ROWS_SHOWN)
    caption = "Cases that are not solved; repeats with the same outcome share a row"
    return Table(name="not-solved", caption=caption, columns=columns, rows=rows, frame=unsolved, left_out=left_out)


def solver_column(competitor: str, styles: Styles, ranking: Ranking | None = None) -> Column:
    """Without the machine where the whole table is about one."""
    title = ranking.plain(competitor) if ranking else competitor
    return Column(title=title, solver=competitor, slot=styles[competitor].slot)


def solver_cell(competitor: str, styles: Styles) -> Cell:
    return Cell(text=competitor, slot=styles[competitor].slot)


def case_table(cases: pd.DataFrame) -> bytes:
    """tables/cases.csv: every case with its plain columns; Arrow writes many rows eight times faster than pandas."""
    import pyarrow as pa
    from pyarrow import csv

    content = io.BytesIO()
    table = pa.Table.from_pandas(safe_texts(cases.drop(columns="trace")), preserve_index=False)
    csv.write_csv(table, content, csv.WriteOptions(quoting_style="needed"))
    return content.getvalue()
