"""Runs over several ranks: rows of kind "scaling" as a table of runs, and the section of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports import scaling_figures as figures
from reports.canvas import Drawing
from reports.shown import ABSENT, MEBIBYTE, ROWS_SHOWN, Cell, Column, Table, compact, count, digits, factor, plural

DEFINITIONS = (
    "A rank is one process with its own part of the instance. Seconds per iteration: the maximum over the ranks, mean "
    "over the middle half of the passes. Communication is the shortest time that any rank spent in the collectives of "
    "a pass, waiting what a rank spent in them beyond that, compute the rest.",
    "Efficiency, against the smallest number of ranks R0 whose ranks share no core: strong R0 t(R0) / (R t(R)), weak "
    "t(R0) / t(R). Where ranks share cores (hollow markers) none is claimed.",
    "Dashed lines are a model, not a measurement: edges of a rank / edges a second + latency log2 R + "
    "2 (R - 1)/R bytes / bytes a second, from speeds measured beside the runs on this machine.",
)


def scaling_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a run with plain columns; "series" names what is compared, per_rank, curve and ranks stay objects."""
    return pd.DataFrame([_plain(row) for row in rows])


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    seconds = row.get("seconds") or {}
    model = row.get("model") or {}
    per_rank = row.get("per_rank") or []
    memory = [rank["peak_memory"].get("host") for rank in per_rank]
    efficiency = row.get("efficiency") or {}
    return {
        "mode": row["mode"],
        "series": _series(row),
        "growing": _growing(row),
        "solver": row["solver"],
        "ranks": int(row["ranks"]),
        "threads": row["settings"]["threads"],
        "device": row["settings"]["device"],
        "edges": row.get("edges"),
        "status": row["status"],
        "reason": row.get("reason") or "",
        "iterations": row.get("iterations"),
        **{name: seconds.get(name) for name in ("generate", "prepare", "run", "per_iteration", "to_gap")},
        **{name: _mean(per_rank, name) for name in ("compute", "communication", "waiting")},
        "memory": max((value for value in memory if value), default=None),
        "bytes_per_iteration": row.get("bytes_per_iteration"),
        "shared": row.get("shared"),
        "efficiency": efficiency.get("value"),
        "predicted": model.get("per_iteration"),
        "error": model.get("error"),
        "restarts": row.get("restarts"),
        "curve": model.get("curve"),
        "per_rank": per_rank,
    }


def _series(row: Mapping[str, Any]) -> str:
    """Family and size: of the whole instance (strong), of the part of a rank (weak)."""
    sources = row["sources"] if row["mode"] == "strong" else row["sources"] // row["ranks"]
    each = "" if row["mode"] == "strong" else " a rank"
    return f"{row['family']} {compact(sources)} × {compact(row['destinations'])}{each}"


def _growing(row: Mapping[str, Any]) -> str:
    """What runs of several sizes have in common: family, and sources a destination, of the part of a rank if weak."""
    sources = row["sources"] if row["mode"] == "strong" else row["sources"] // row["ranks"]
    each = "" if row["mode"] == "strong" else " a rank"
    return f"{row['family']}, I/J {compact(sources / max(1, row['destinations']))}{each}"


def _mean(per_rank: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = [rank[name] for rank in per_rank if rank.get(name) is not None]
    return sum(values) / len(values) if values else None


def speedups(runs: pd.DataFrame) -> list[str]:
    """A line a series: how much faster the largest number of ranks with an efficiency of its own is than the least."""
    lines = []
    for (series, mode, solver), rows in runs[runs["efficiency"].notna()].groupby(["series", "mode", "solver"]):
        seconds = rows.groupby("ranks")["per_iteration"].median()
        least = int(seconds.index.min())
        most = int(seconds.index.max())
        if least == most:
            continue
        value = rows.loc[rows["ranks"] == most, "efficiency"].median()
        ratio = f"{factor(seconds[least] / seconds[most])} faster than on {least}, " if mode == "strong" else ""
        lines.append(f"{solver} on {series}, {mode}: on {most} ranks {ratio}efficiency {100 * value:.0f} %.")
    return lines


def drawings(runs: pd.DataFrame, model_ranks: int | None = None) -> list[Drawing]:
    """model_ranks: how far the model is drawn, four times the ranks that were measured where it is None."""
    measured = runs[runs["per_iteration"].notna()]
    drawn: list[Drawing | None] = []
    for mode in ("strong", "weak"):
        for (series, device), rows in measured[measured["mode"] == mode].groupby(["series", "device"], sort=True):
            if rows["ranks"].min() < rows["ranks"].max():
                drawn.append(figures.scaling(rows, mode, f"{series}, {device}", model_ranks))
    drawn += [figures.efficiency(measured), *figures.split(measured), figures.memory(measured)]
    drawn.append(figures.growth(measured))
    return [drawing for drawing in drawn if drawing is not None]


def runs_table(runs: pd.DataFrame) -> Table:
    rows = [_cells(row) for row in runs.head(ROWS_SHOWN).to_dict("records")]
    columns = [
        Column(title="instance", numeric=False),
        Column(title="solver", numeric=False),
        Column(title="ranks"),
        Column(title="status", numeric=False),
        Column(title="iterations"),
        Column(title="iteration", unit="s"),
        Column(title="efficiency"),
        Column(title="to the gap", unit="s"),
        Column(title="compute", unit="s"),
        Column(title="communication", unit="s"),
        Column(title="waiting", unit="s"),
        Column(title="model", unit="s"),
        Column(title="memory of a rank", unit="MiB"),
    ]
    return Table(
        name="scaling",
        caption="Runs over ranks; split of an iteration: means over the ranks",
        columns=columns,
        rows=rows,
        frame=runs.drop(columns=["curve", "per_rank"]),
        left_out=max(0, len(runs) - ROWS_SHOWN),
    )


def _cells(row: Mapping[Any, Any]) -> list[Cell]:
    ranks = (
        f"cores shared, {plural(row['threads'], 'thread')} each" if row["shared"] else plural(row["threads"], "thread")
    )
    error = f"{100 * row['error']:+.0f} %" if _known(row["error"]) else ""
    size = f", {compact(row['edges'])} edges" if _known(row["edges"]) else ""
    return [
        Cell(text=row["series"], note=f"{row['mode']}{size}"),
        Cell(text=row["solver"]),
        Cell(text=count(row["ranks"]), note=ranks),
        Cell(text=row["status"].replace("_", " "), note=row["reason"]),
        Cell(text=count(row["iterations"])),
        Cell(text=digits(row["per_iteration"])),
        Cell(text=digits(row["efficiency"]) if _known(row["efficiency"]) else ABSENT, muted=bool(row["shared"])),
        *(Cell(text=digits(row[name])) for name in ("to_gap", "compute", "communication", "waiting")),
        Cell(text=digits(row["predicted"]), note=error),
        Cell(text=digits(row["memory"] / MEBIBYTE) if _known(row["memory"]) else ABSENT),
    ]


def _known(value: Any) -> bool:
    return value is not None and not pd.isna(value)
