"""One panel with lines on log axes: what every figure of lines is drawn by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reports import canvas
from reports.canvas import Drawing
from reports.palette import Style
from reports.shown import power


class Axis(NamedTuple):
    """One axis of a panel."""

    label: str
    low: float
    high: float
    text: Callable[[float], str]
    """Of a tick."""

    is_share: bool = False
    """Percentages on a linear axis from 0 to 100."""

    names: Sequence[str] = ()
    """Of the positions 0, 1, ... of an axis that holds no numbers."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a panel; several lines may share a name, and then a style."""

    name: str
    x: Any
    y: Any

    filled: Any = None
    """Whether the marker of each point is; None for a line without markers."""

    x_range: tuple[Any, Any] | None = None
    """The least and the largest x of each point, drawn as a bar."""

    y_range: tuple[Any, Any] | None = None
    """The least and the largest y of each point, drawn as a bar, and as a band between points."""

    marks: Sequence[str] = ()
    """What is written beside each point, such as the mark of a disturbed time."""

    steps: bool = False
    """A curve of steps, with a marker where it rises."""


def panel(
    lines: Sequence[Line],
    styles: Mapping[str, Style],
    *,
    name: str,
    title: str,
    x: Axis,
    y: Axis,
    own_legend: bool = False,
) -> Drawing:
    """Draw the lines in the order of `styles`.

    own_legend: the figure keeps its legend on the page, one name a row; otherwise the figures of a section share one.
    """
    known = {line.name for line in lines}
    shown = {solver: style for solver, style in styles.items() if solver in known}
    rows, columns = (len(shown), 1) if own_legend else canvas.legend_shape(shown)
    with canvas.settings():
        figure, axes = canvas.new_figure(rows, heads=canvas.heads(title, y.label))
        canvas.titles(axes, title, x.label, y.label)
        if x.names:
            canvas.name_columns(axes, x.names)
        else:
            canvas.log_axis(axes.xaxis, x.low, x.high, x.text)
        if y.is_share:
            axes.set_ylim(-3, 103)
        else:
            canvas.log_axis(axes.yaxis, y.low, y.high, y.text)
        for line in lines if own_legend else sorted(lines, key=lambda line: list(shown).index(line.name)):
            _draw(axes, line, shown[line.name])
        markers = own_legend or any(line.steps or line.filled is not None for line in lines)
        canvas.legend(figure, shown, columns, markers=markers)
        heading = f"{title}: {y.label} against {x.label}"
        return canvas.render(figure, name, heading, key=None if own_legend else shown)


def _draw(axes: Any, line: Line, style: Style) -> None:
    look = canvas.line_style(style, markers=line.steps)
    if line.steps:
        look |= {"drawstyle": "steps-post", "markevery": _rises(line.y)}
    axes.plot(line.x, line.y, **look)
    if line.x_range is not None:
        axes.hlines(line.y, *line.x_range, color=style.colour, linewidth=3.5, alpha=0.35, gid=canvas.group_of(style))
    if line.y_range is not None:
        axes.fill_between(
            line.x, *line.y_range, color=style.colour, linewidth=0, alpha=0.15, gid=canvas.group_of(style)
        )
        axes.vlines(line.x, *line.y_range, color=style.colour, linewidth=3.5, alpha=0.35, gid=canvas.group_of(style))
    write_marks(axes, line.x, line.y, line.marks, style)
    if line.filled is not None:
        canvas.points(axes, line.x, line.y, line.filled, style)


def write_marks(axes: Any, x: Any, y: Any, marks: Sequence[str], style: Style) -> None:
    """Text beside the points that have a mark."""
    look = {"textcoords": "offset points", "color": style.colour, "fontsize": 10, "gid": canvas.group_of(style)}
    for across, up, mark in zip(x, y, marks, strict=False):
        if mark:
            axes.annotate(mark, (across, up), (4, 3), **look)


def _rises(values: Any) -> list[int]:
    """Where a curve of steps begins above 0, and where it rises."""
    return [int(k) for k in np.flatnonzero(np.diff(values, prepend=0.0) > 0)]


def value_range(values: Any) -> tuple[float, float]:
    return float(np.min(values)), float(np.max(values))


def seconds_text(value: float) -> str:
    return f"{value:g}" if value >= 1e-3 else power(value)


def slug(name: str) -> str:
    """A file name: letters, digits and hyphens; a name that loses something ends in a hash of the whole."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}".strip("-")
