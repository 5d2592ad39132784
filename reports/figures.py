"""What the figures show. Every one is a panel of the same size with log axes; the page sets them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.records import DISTURBED
from reports import canvas
from reports.canvas import Drawing
from reports.palette import DASHES, Style
from reports.panel import Axis, Line, panel, seconds_text, slug, value_range, write_marks
from reports.profiles import performance_profile
from reports.rankings import Ranking
from reports.shown import compact, digits, power
from reports.time_texts import AT_MOST

Styles = Mapping[str, Style]
SMALLEST_GAP = 1e-9  # gaps below it, 0 included, are drawn here
SHORTEST_TIME = 1e-6  # seconds
INSTANCES_IN_A_PANEL = 40  # rows
ROWS_OF_A_PANEL = 10  # more make it taller
LEAST_INSTANCES = 5  # of a performance profile


def time_by_size(times: pd.DataFrame, sizes: pd.DataFrame, target: float, styles: Styles) -> list[Drawing]:
    """Seconds to the target: one panel of all instances, one row each, and one a series by edges, on the same axes.

    Instances of one size have no panel of their own; where all have one, the panel of instances is left out.
    """
    rows = times[(times["target"] == target) & times["seconds"].notna()]
    rows = rows.join(sizes, on="instance").dropna(subset="edges").sort_values(["edges", "instance"])
    times_of = ["seconds", "least", "most"]
    rows = rows.assign(**rows[times_of].clip(lower=SHORTEST_TIME), edges=rows["edges"].clip(lower=1))
    if rows.empty:
        return []
    ladder = rows.groupby("series")["edges"].transform("nunique") > 1
    grown = rows[ladder]
    panels = [
        _time_by_size(
            panel, str(series), target, value_range(grown["edges"]), value_range(grown[["least", "most"]]), styles
        )
        for series, panel in grown.groupby("series", sort=True)
    ]
    return panels if ladder.all() else [_time_by_instance(rows, target, styles), *panels]


def _time_by_size(
    rows: pd.DataFrame,
    series: str,
    target: float,
    edges: tuple[float, float],
    seconds: tuple[float, float],
    styles: Styles,
) -> Drawing:
    lines = [
        Line(
            name=str(solver),
            x=line["edges"].to_numpy(),
            y=line["seconds"].to_numpy(),
            filled=trusted(line),
            y_range=(line["least"].to_numpy(), line["most"].to_numpy()),
            marks=marks(line),
        )
        for solver, line in rows.groupby("competitor")
    ]
    return panel(
        lines,
        styles,
        name=f"time-by-size-{slug(series)}-{power(target)}",
        title=series,
        x=Axis("edges", *edges, compact),
        y=Axis(f"seconds to gap {power(target)}", *seconds, seconds_text),
    )


def trusted(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether a time carries no mark and is known."""
    return ~(rows["disturbed"] | rows["too_short"] | rows["at_most"]).to_numpy(dtype=bool)


def marks(rows: pd.DataFrame) -> list[str]:
    """That of each time that is an upper bound or disturbed; times too short to tell are hollow, and say no more."""
    pairs = zip(rows["at_most"], rows["disturbed"], strict=True)
    return [f"{AT_MOST if bounded else ''}{DISTURBED if disturbed else ''}" for bounded, disturbed in pairs]


def _time_by_instance(rows: pd.DataFrame, target: float, styles: Styles) -> Drawing:
    """One row an instance, one marker a solver."""
    names = chosen([str(name) for name in rows["instance"].drop_duplicates().sort_values()], INSTANCES_IN_A_PANEL)
    rows = rows[rows["instance"].isin(names)]
    known = set(rows["competitor"])
    shown = {solver: styles[solver] for solver in styles if solver in known}
    title = "All instances"
    x = f"seconds to gap {power(target)}"
    legend_rows, columns = canvas.legend_shape(shown)
    with canvas.settings():
        figure, axes = canvas.new_figure(legend_rows, taller=0.19 * max(0, len(names) - ROWS_OF_A_PANEL))
        canvas.titles(axes, title, x, "")
        canvas.log_axis(axes.xaxis, *value_range(rows[["least", "most"]]), seconds_text)
        canvas.name_rows(axes, names)
        for solver, style in shown.items():
            points = rows[rows["competitor"] == solver]
            heights = np.array([names.index(name) for name in points["instance"]], dtype=float)
            seconds = points["seconds"].to_numpy()
            group = canvas.group_of(style)
            axes.hlines(
                heights, points["least"], points["most"], color=style.colour, linewidth=3.5, alpha=0.35, gid=group
            )
            write_marks(axes, seconds, heights, marks(points), style)
            canvas.points(axes, seconds, heights, trusted(points), style, size=6.5)
        canvas.legend(figure, shown, columns, markers=True, lines=False)
        return canvas.render(figure, f"time-by-instance-{power(target)}", f"{title}: {x}", key=shown)


def gap_against_time(cases: pd.DataFrame, instance: str, styles: Styles) -> Drawing | None:
    """Seconds of run against certified gap, one point a tolerance asked (medians over repeats), joined per solver.

    A single point is no figure.
    """
    rows = cases[cases["accuracy"].notna() & cases["run"].notna()]
    by = rows.assign(solved=rows["status"] == "solved").groupby(["competitor", "tolerance"], dropna=False)
    points = by.agg(
        seconds=("run", "median"),
        least=("run", "min"),
        most=("run", "max"),
        gap=("accuracy", "median"),
        solved=("solved", "all"),
    ).reset_index()
    if len(points) < 2:
        return None

    times = ["seconds", "least", "most"]
    points[times] = points[times].clip(lower=SHORTEST_TIME)
    points["gap"] = points["gap"].clip(lower=SMALLEST_GAP)
    points = points.sort_values(["competitor", "tolerance"], ascending=[True, False])
    lines = [
        Line(
            name=str(solver),
            x=line["seconds"].to_numpy(),
            y=line["gap"].to_numpy(),
            filled=line["solved"].to_numpy(),
            x_range=(line["least"].to_numpy(), line["most"].to_numpy()),
        )
        for solver, line in points.groupby("competitor")
    ]
    return panel(
        lines,
        styles,
        name=f"gap-against-time-{slug(instance)}",
        title=instance,
        x=Axis("seconds of run", *value_range(points[["least", "most"]]), seconds_text),
        y=Axis("certified gap", *value_range(points["gap"]), power),
    )


def gap_over_time(traces: Mapping[str, Mapping[str, Any]], instance: str, styles: Styles) -> Drawing | None:
    """The best gap so far by the solver's own word while it runs, one line a solver, from {competitor: trace}."""
    curves = {solver: curve for solver, trace in traces.items() if len((curve := trace_points(trace))[0])}
    if not curves:
        return None
    return panel(
        [Line(name=solver, x=x, y=y) for solver, (x, y) in curves.items()],
        styles,
        name=f"gap-over-time-{slug(instance)}",
        title=instance,
        x=Axis("seconds of run", *value_range(np.concatenate([x for x, _ in curves.values()])), seconds_text),
        y=Axis("gap, solver's own view", *value_range(np.concatenate([y for _, y in curves.values()])), power),
    )


def trace_points(trace: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(seconds, best gap so far) of a trace without what a log axis cannot show; empty where it is none at all."""
    try:
        pairs = zip(trace["seconds"], trace["gap"], strict=False)
        points = np.array([pair for pair in pairs if None not in pair], dtype=float).reshape(-1, 2)
    except (KeyError, TypeError, ValueError):
        return np.empty(0), np.empty(0)
    points = points[np.isfinite(points).all(axis=1) & (points[:, 1] >= 0)]
    return points[:, 0].clip(min=SHORTEST_TIME), np.minimum.accumulate(points[:, 1]).clip(min=SMALLEST_GAP)


def profile(times: pd.DataFrame, target: float, styles: Styles, ranking: Ranking) -> Drawing | None:
    """Share of instances solved within a factor of the fastest solver, with a marker where it rises.

    One solver alone, or fewer than LEAST_INSTANCES instances, have no profile; a solver without success has no curve.
    """
    times = times.loc[:, times.notna().any()]
    if times.shape[1] < 2 or len(times) < LEAST_INSTANCES:
        return None

    shares = performance_profile(times)
    furthest = max(10.0, float(shares.index.max()) * 1.2)
    steps = np.append(shares.index.to_numpy(), furthest)
    lines = [
        Line(name=str(solver), x=steps, y=np.append(share, share.iloc[-1]) * 100, steps=True)
        for solver, share in shares.items()
    ]
    looks = {name: replace(style, dash=DASHES[k % len(DASHES)]) for k, (name, style) in enumerate(styles.items())}
    return panel(
        lines,
        looks,
        name=f"profile-{power(target)}{ranking.suffix}",
        title=", ".join(filter(None, (f"Certified gap {power(target)}", ranking.label))),
        x=Axis("times the fastest", 1.0, furthest, compact),
        y=Axis(f"% of {len(times)} instances", 0.0, 100.0, compact, is_share=True),
    )


def sizes_of(cases: pd.DataFrame) -> pd.DataFrame:
    """By instance: edges, and the series of those that differ in size alone (family, sources to a destination)."""
    sizes = cases.groupby("instance", observed=True).agg(
        family=("family", "first"),
        edges=("edges", "max"),
        sources=("sources", "first"),
        destinations=("destinations", "first"),
    )
    ratio = sizes["sources"] / sizes["destinations"].clip(lower=1)
    several = ratio.round(1).groupby(sizes["family"]).transform("nunique") > 1
    series = sizes["family"] + ", " + ratio.map(digits) + " sources a destination"
    return sizes[["edges"]].assign(series=series.where(several, sizes["family"]))


def chosen(names: Sequence[str], most: int) -> list[str]:
    """At most `most` names spread evenly over all, the last included."""
    if len(names) <= most:
        return list(names)
    return [names[round((k + 1) * len(names) / most) - 1] for k in range(most)]
