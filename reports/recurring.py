"""The same problem day after day: rows of kind "recurring" as one line a chain, and the section of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports import palette
from reports.canvas import Drawing
from reports.panel import Axis, Line, panel, slug, value_range
from reports.shown import ABSENT, Cell, Column, Table, count, digits, factor, listed, power

DEFINITIONS = (
    "Each day is a solve in a process of its own, which gets yesterday's answer of the same chain and nothing else: "
    "warm starts take all of it that the solver can begin from, prices its dual alone, stay RHO also pays "
    "(RHO / 2) ||x - x of yesterday||² for moving, which the objective does not count.",
    "Churn: sum |x - x of yesterday| / (2 sum x) over the edges that were there yesterday. Objective lost: against the "
    "best feasible objective that any solve of that day found, relative to it; a solve to a gap may lose as much as "
    "the gap. Seconds and iterations: medians over the days after the first; × cold: the median of each day's ratio.",
)
_COLD = "cold"
#: What a day may lose of its objective for less churn, in the sentences and as the mark of the figures.
_LOST = 0.01
#: Where a logarithmic axis begins for what is smaller or 0.
_LEAST_LOST, _LEAST_CHURN = 1e-5, 1e-4
_GROUP = ["series", "competitor", "tolerance"]


def recurring_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a solve, with plain columns; "series" names instance and drift, "lost" is the share of the objective."""
    frame = pd.DataFrame([_plain(row) for row in rows])
    best = frame.groupby("spec")["objective"].transform("min")
    frame["lost"] = (frame["objective"] - best) / best.abs().clip(lower=1e-300)
    return frame


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    certificate = row.get("certificate") or {}
    feasible = certificate.get("feasible_objective")
    drift = row.get("drift")
    return {
        "instance": row["instance"],
        "series": row["instance"] + ("" if drift is None else f", drift {100 * drift:g} %"),
        "spec": row["spec"],
        "competitor": row.get("variant") or row["solver"],
        "solver": row["solver"],
        "tolerance": row["settings"]["tolerance"],
        "stay": row["settings"].get("stay") or 0.0,
        "day": row["day"],
        "chain": row["chain"],
        "status": row["status"],
        "reason": row.get("reason") or "",
        "seconds": (row.get("seconds") or {}).get("run"),
        "iterations": row.get("iterations"),
        "churn": row.get("churn"),
        "objective": certificate.get("priced_objective") if feasible is None else feasible,
    }


def by_chain(solves: pd.DataFrame) -> pd.DataFrame:
    """One row a series, competitor, tolerance and chain, of the solved days after the first, as recorded."""
    later = solves[(solves["day"] > 0) & (solves["status"] != "skipped")]
    return pd.DataFrame(
        [
            {**dict(zip(_GROUP, key, strict=True)), "chain": chain, **_of_chain(rows, _cold(group))}
            for key, group in later.groupby(_GROUP, sort=False)
            for chain, rows in group.groupby("chain", sort=False)
        ]
    )


def _cold(group: pd.DataFrame) -> pd.DataFrame:
    """The cold solves by day."""
    cold = group[(group["chain"] == _COLD) & (group["status"] == "solved")]
    return cold.groupby("day")[["seconds", "iterations"]].median()


def _of_chain(rows: pd.DataFrame, cold: pd.DataFrame) -> dict[str, Any]:
    solved = rows[rows["status"] == "solved"]
    ratios = solved.groupby("day")[["seconds", "iterations"]].median() / cold
    return {
        "solver": rows["solver"].iloc[0],
        "stay": rows["stay"].iloc[0],
        "solves": len(rows),
        "solved": len(solved),
        "seconds": solved["seconds"].median(),
        "seconds_ratio": ratios["seconds"].median(),
        "iterations": solved["iterations"].median(),
        "iterations_ratio": ratios["iterations"].median(),
        "churn": solved["churn"].mean(),
        "lost": solved["lost"].mean(),
    }


def calmed(chains: pd.DataFrame) -> list[str]:
    """A line a series and competitor: how far churn falls where at most _LOST of the objective is lost."""
    lines = []
    for (series, competitor, tolerance), rows in chains.groupby(_GROUP, sort=False):
        cold = rows.loc[rows["chain"] == _COLD, "churn"]
        staying = rows[(rows["stay"] > 0) & (rows["lost"] <= _LOST)]
        if staying.empty or cold.isna().all():
            continue
        best = staying.sort_values("churn").to_dict("records")[0]
        lines.append(
            f"{competitor} on {series} to {power(tolerance)}: churn falls from {digits(cold.iloc[0])} to "
            f"{digits(best['churn'])} ({best['chain']}) where {_share(best['lost'])} of the objective is lost."
        )
    return lines


def left_out(solves: pd.DataFrame) -> list[str]:
    """A line a reason for the solves that were not tried."""
    skipped = solves[solves["status"] == "skipped"]
    lines = []
    for reason, rows in skipped.groupby("reason", sort=False):
        competitors, instances = (listed(rows[name].unique().tolist()) for name in ("competitor", "instance"))
        lines.append(f"Not tried: {competitors} on {instances} ({reason}).")
    return lines


def drawings(chains: pd.DataFrame) -> list[Drawing]:
    """Churn against the objective lost, a panel a series in which some solver stayed."""
    staying = chains[chains["stay"] > 0].dropna(subset=["churn", "lost"])
    return [_curve(series, chains[chains["series"] == series]) for series in staying["series"].unique()]


def _curve(series: str, chains: pd.DataFrame) -> Drawing:
    """From the warm start, which pays nothing for moving, to the largest RHO."""
    looks = palette.styles({str(name): str(name).partition(" ")[0] for name in chains["competitor"].unique()})
    lines = []
    for (competitor, _), rows in chains.groupby(["competitor", "tolerance"], sort=False):
        used = rows[(rows["stay"] > 0) | (rows["chain"] == "warm")].dropna(subset=["churn", "lost"])
        used = used.sort_values("stay")
        if len(used) > 1:
            x = used["lost"].clip(lower=_LEAST_LOST).to_numpy()
            y = used["churn"].clip(lower=_LEAST_CHURN).to_numpy()
            lines.append(Line(name=str(competitor), x=x, y=y, filled=np.full(len(used), fill_value=True)))
    across, upwards = (np.concatenate([getattr(line, axis) for line in lines]) for axis in ("x", "y"))
    return panel(
        lines,
        looks,
        name=f"churn-{slug(series)}",
        title=series,
        x=Axis("objective lost, in percent", *value_range(np.append(across, _LOST)), lambda share: f"{100 * share:g}"),
        y=Axis("churn", *value_range(upwards), lambda churn: f"{churn:g}"),
        own_legend=True,
    )


def chains_table(chains: pd.DataFrame) -> Table:
    columns = [
        Column(title="series", numeric=False),
        Column(title="solver", numeric=False),
        Column(title="each day begins", numeric=False),
        Column(title="run", unit="s"),
        Column(title="run × cold"),
        Column(title="iterations"),
        Column(title="iterations × cold"),
        Column(title="churn"),
        Column(title="objective lost"),
    ]
    rows = [_cells(row) for row in chains.to_dict("records")]
    caption = "The same problem day after day, by what each day begins from"
    return Table(name="recurring", caption=caption, columns=columns, rows=rows, frame=chains)


def _cells(row: Mapping[Any, Any]) -> list[Cell]:
    unsolved = row["solves"] - row["solved"]
    cold = row["chain"] == _COLD
    return [
        Cell(text=row["series"]),
        Cell(text=row["competitor"], note=power(row["tolerance"])),
        Cell(text=row["chain"], note=f"{count(unsolved)} of {count(row['solves'])} not solved" if unsolved else ""),
        Cell(text=digits(row["seconds"])),
        Cell(text=ABSENT if cold or pd.isna(row["seconds_ratio"]) else factor(row["seconds_ratio"])),
        Cell(text=count(row["iterations"])),
        Cell(text=ABSENT if cold or pd.isna(row["iterations_ratio"]) else factor(row["iterations_ratio"])),
        Cell(text=digits(row["churn"])),
        Cell(text=ABSENT if pd.isna(row["lost"]) else _share(row["lost"])),
    ]


def _share(value: float) -> str:
    """1.25 %."""
    return f"{digits(100 * value)} %"
