"""Figures of the runs over ranks. Solid with markers: measured; dashed: the model; dotted: ideal scaling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reports import canvas
from reports.canvas import Drawing
from reports.palette import DASHES, Style, styles
from reports.panel import Axis, Line, panel, seconds_text, slug, value_range
from reports.shown import MEBIBYTE, compact, digits

_GREY = 4
_PARTS = (("compute", 0), ("communication", 1), ("waiting", 4))
_MOST_BARS = 16
#: Times the ranks that were measured: where the curve of the model ends, unless more is asked for.
FURTHEST = 4


def scaling(rows: pd.DataFrame, mode: str, title: str, model_ranks: int | None) -> Drawing:
    """Seconds per iteration against ranks: measured, model (up to `model_ranks`) and ideal of each solver."""
    looks = styles({str(solver): str(solver) for solver in rows["solver"].unique()})
    names: dict[str, Style] = {}
    lines: list[Line] = []
    for solver, look in looks.items():
        line = _medians(rows[rows["solver"] == solver])
        lines.append(
            Line(
                name=solver,
                x=line["ranks"].to_numpy(),
                y=line["per_iteration"].to_numpy(),
                filled=~line["shared"].to_numpy(),
            )
        )
        names[solver] = look
        curve = _curve(line, model_ranks)
        if curve is not None:
            label = f"{solver}: model{_errors(line)}"
            names[label] = Style(slot=look.slot, marker="", dash=DASHES[1])
            lines.append(Line(name=label, x=curve[0], y=curve[1]))
        ranks = np.array([line["ranks"].iloc[0], line["ranks"].max() if curve is None else curve[0][-1]])
        first = float(line["per_iteration"].iloc[0])
        ideal = first * ranks[0] / ranks if mode == "strong" else np.full(2, first)
        names["ideal"] = Style(slot=_GREY, marker="", dash=DASHES[2])
        lines.append(Line(name="ideal", x=ranks, y=ideal))

    heading = f"{mode.capitalize()} scaling: {title}"
    return _panel(f"scaling-{mode}-{slug(title)}", heading, "ranks", "seconds per iteration", lines, names)


def efficiency(rows: pd.DataFrame) -> Drawing | None:
    """Against ranks, one line a series; only runs whose ranks share nothing have one."""
    rows = rows[rows["efficiency"].notna()]
    by = rows.assign(name=rows["solver"] + ", " + rows["mode"] + ": " + rows["series"])
    by = by[by.groupby("name")["ranks"].transform("nunique") > 1]
    if by.empty:
        return None

    looks = styles({str(name): str(name).partition(",")[0] for name in by["name"].unique()})
    with canvas.settings():
        figure, axes = canvas.new_figure(len(looks))
        canvas.titles(axes, "Efficiency", "ranks", "of the ideal")
        canvas.log_axis(axes.xaxis, 1.0, float(max(by["ranks"].max(), 2)), compact)
        least, most = value_range(by["efficiency"])
        axes.set_ylim(max(0.0, least - 0.05), max(1.0, most) + 0.05)  # no more: curves near 1 would lie on each other
        axes.axhline(1.0, color=canvas.MUTED, linestyle=(0, (1, 1.2)), linewidth=1)
        for name, look in looks.items():
            line = by[by["name"] == name].groupby("ranks")["efficiency"].median()
            axes.plot(line.index.to_numpy(), line.to_numpy(), **canvas.line_style(look))
        canvas.legend(figure, looks, 1, markers=True)
        return canvas.render(figure, "scaling-efficiency", "Efficiency against ranks")


def split(rows: pd.DataFrame) -> list[Drawing]:
    """One iteration as a bar a rank, of compute, communication and waiting; a panel a series, of its most ranks."""
    by = rows.sort_values("ranks").groupby(["solver", "mode", "series"], sort=True)
    panels = [_split(row) for _, runs in by for row in runs.tail(1).to_dict("records")]
    return [panel for panel in panels if panel is not None]


def _split(row: dict[Any, Any]) -> Drawing | None:
    bars = _bars(row)[:_MOST_BARS]
    if not bars:
        return None
    title = f"{row['solver']}, {row['mode']}: {row['series']}"
    names = {name: Style(slot=slot, marker="s", dash="-") for name, slot in _PARTS}
    with canvas.settings():
        y = f"an iteration on {row['ranks']} ranks"
        figure, axes = canvas.new_figure(1, heads=canvas.heads(title, y))
        canvas.titles(axes, title, "seconds", y)
        canvas.name_rows(axes, [name for name, _ in bars])
        left = np.zeros(len(bars))
        for k, (name, _) in enumerate(_PARTS):
            width = np.array([parts[k] for _, parts in bars])
            axes.barh(range(len(bars)), width, left=left, height=0.7, color=names[name].colour)
            left += width
        canvas.legend(figure, names, 3, markers=True, lines=False)
        return canvas.render(figure, f"scaling-split-{slug(title)}", f"{title}: compute, communication and waiting")


def memory(rows: pd.DataFrame) -> Drawing | None:
    """Peak memory of the largest rank against the edges that a rank holds."""
    rows = rows[rows["memory"].notna()]
    rows = rows.assign(share=rows["edges"] / rows["ranks"], memory=rows["memory"] / MEBIBYTE)
    return _by_edges(
        rows, "memory", "share", "Memory of a rank", "edges of a rank", "MiB at the peak", "scaling-memory"
    )


def growth(rows: pd.DataFrame) -> Drawing | None:
    """Seconds per iteration of one rank against edges, with the exponent of the fitted power."""
    alone = rows[rows["ranks"] == 1]
    return _by_edges(
        alone, "per_iteration", "edges", "One rank", "edges", "seconds per iteration", "scaling-growth", fitted=True
    )


def _by_edges(
    rows: pd.DataFrame, value: str, edges: str, title: str, x: str, y: str, name: str, *, fitted: bool = False
) -> Drawing | None:
    """One line a solver, mode, family and I/J, of medians of nearly equal sizes; `fitted`: with its exponent."""
    rows = rows.assign(**{edges: [float(f"{size:.1e}") for size in rows[edges]]})
    names: dict[str, Style] = {}
    lines: list[Line] = []
    rows = rows.assign(name=rows["solver"] + ", " + rows["mode"] + ": " + rows["growing"])
    solver_of = dict(zip(rows["name"], rows["solver"], strict=True))
    for name_of_line, look in styles(solver_of).items():
        line = rows[rows["name"] == name_of_line].groupby(edges)[value].median()
        if len(line) < 2:
            continue
        at = line.index.to_numpy(dtype=float)
        values = line.to_numpy(dtype=float)
        exponent = f", exponent {np.polyfit(np.log(at), np.log(values), 1)[0]:.2f}" if fitted else ""
        label = f"{name_of_line}{exponent}"
        names[label] = look
        lines.append(Line(name=label, x=at, y=values, filled=np.full(at.size, fill_value=True)))
    return _panel(name, title, x, y, lines, names) if lines else None


def _panel(name: str, title: str, x: str, y: str, lines: list[Line], names: dict[str, Style]) -> Drawing:
    """A panel with a legend of its own, whose axes hold all lines."""
    text = seconds_text if y.startswith("seconds") else digits
    across = value_range(np.concatenate([np.asarray(line.x, dtype=float) for line in lines]))
    upwards = value_range(np.concatenate([np.asarray(line.y, dtype=float) for line in lines]))
    return panel(
        lines, names, name=name, title=title, x=Axis(x, *across, compact), y=Axis(y, *upwards, text), own_legend=True
    )


def _medians(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each number of ranks; curve: of its last run."""
    medians = rows.groupby("ranks").agg(
        per_iteration=("per_iteration", "median"),
        shared=("shared", "any"),
        error=("error", "median"),
        curve=("curve", "last"),
    )
    return medians.reset_index().astype({"shared": bool})


def _curve(line: pd.DataFrame, model_ranks: int | None) -> tuple[Any, Any] | None:
    """Of the run with most ranks that share nothing: it has measured messages as well as passes."""
    usable = line[line["curve"].notna() & ~line["shared"]]
    if usable.empty:
        return None
    points = np.array(usable["curve"].iloc[-1], dtype=float)
    points = points[points[:, 0] <= (model_ranks or FURTHEST * usable["ranks"].max())]
    return points[:, 0], points[:, 1]


def _errors(line: pd.DataFrame) -> str:
    errors = line["error"].dropna()
    if errors.empty:
        return ""
    low = 100 * errors.min()
    high = 100 * errors.max()
    return f", error {low:+.0f} %" if low == high else f", errors {low:+.0f} to {high:+.0f} %"


def _bars(row: Any) -> list[tuple[str, list[float]]]:
    bars = []
    for k, rank in enumerate(row["per_rank"]):
        parts = [rank.get(name) for name, _ in _PARTS]
        if None not in parts:
            bars.append((f"rank {k}", [float(part) for part in parts]))
    return bars
