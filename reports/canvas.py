"""matplotlib without global state: log axes, labels, and one drawing as SVG for a file, SVG for the page, and PNG.

The inks below stand for colours that a page changes between light and dark; in the page's SVG they become variables.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reports import plotting
from reports.palette import COLOURS, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK = "#1b1f24"
MUTED = "#5f6873"
GRID = "#e1e5ea"
DARK_INK = "#e8eaed"
DARK_MUTED = "#a3abb5"
DARK_GRID = "#333a43"
WIDTH, HEIGHT = 4.0, 2.9  # inches of one panel: its text is still read at the width of a phone
UNDER_AXES = 0.46  # inches for tick labels and the x label
LONGEST_TITLE = 66  # characters
LONGEST_ROW_NAME = 24
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"
RC: dict[Any, Any] = {
    "svg.hashsalt": "dualbench",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.parse_math": False,  # names of solvers and instances are not formulas
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
}


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One figure."""

    name: str
    """Of the files figures/<name>.svg and .png."""

    title: str
    """In words."""

    svg: str
    """The file."""

    inline: str
    """The SVG for the page."""

    png: bytes
    """The file."""

    instance: str = ""
    """What it is about, where that is one instance."""

    gap: str = ""
    """The certified gap that it is about, where there is one for each."""

    key: Mapping[str, Style] = field(default_factory=dict)
    """The names of the legend, which `inline` leaves to the page where several figures share one."""


@contextmanager
def settings() -> Iterator[None]:
    """Our look; characters that the font lacks are drawn by the reader's browser and need no warning."""
    with plotting.look(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        yield


def new_figure(legend_rows: int = 0, heads: int = 1, taller: float = 0.0) -> tuple[Figure, Axes]:
    """A panel with space for `heads` lines above, `legend_rows` lines under it."""
    from matplotlib.figure import Figure

    below = 0.19 * legend_rows + (0.06 if legend_rows else 0.0)
    top = 0.12 + 0.2 * heads
    height = HEIGHT + taller - 0.32 + top + below
    figure = Figure(figsize=(WIDTH, height))
    left = 0.6
    bottom = UNDER_AXES + below
    return figure, figure.add_axes(
        (left / WIDTH, bottom / height, 1 - (left + 0.16) / WIDTH, 1 - (bottom + top) / height)
    )


def heads(title: str, y: str) -> int:
    """Lines that the title and the y label take above a panel."""
    return 1 if len(title) + len(y) <= 40 else 2


def titles(axes: Axes, title: str, x: str, y: str) -> None:
    """The y label lies above the axis, horizontal, where it is read first: beside the title or under it."""
    figure = axes.figure
    height = float(figure.get_figheight())  # type: ignore[union-attr]  # a subfigure does not occur here
    title = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
    size = min(9.5, 9.5 * 42 / max(1, len(title)))
    figure.text(0.1 / WIDTH, 1 - 0.13 / height, title, ha="left", va="center", fontweight="bold", fontsize=size)
    at, side = (1 - 0.1 / WIDTH, "right") if heads(title, y) == 1 else (0.1 / WIDTH, "left")
    line = 0.13 + 0.2 * (heads(title, y) - 1)
    figure.text(at, 1 - line / height, y, ha=side, va="center", fontsize=8.5, color=MUTED)
    axes.set_xlabel(x)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Rows 0, 1, ... from the top with a name each, beside which the panel leaves space."""
    short = [name if len(name) <= LONGEST_ROW_NAME else f"{name[: LONGEST_ROW_NAME - 1]}…" for name in names]
    box = axes.get_position()
    left = (0.07 * max(len(name) for name in short) + 0.2) / WIDTH
    axes.set_position((left, box.y0, box.x1 - left, box.height))
    axes.set_yticks(range(len(names)), short)
    axes.set_ylim(len(names) - 0.4, -0.6)


def name_columns(axes: Axes, names: Sequence[str]) -> None:
    """Columns 0, 1, ... from the left with a name each."""
    axes.set_xlim(-0.4, len(names) - 0.6)
    axes.set_xticks(range(len(names)), names)


def log_axis(axis: Axis, low: float, high: float, text: Callable[[float], str]) -> None:
    """A log axis that holds [low, high] with a margin at the ends and up to seven labelled ticks."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    pad = max(0.06 * math.log10(high / low), 0.2)  # 0.4 decades always hold a 1, a 2 or a 5
    low = low * 10**-pad
    high = high * 10**pad
    set_scale, set_limits = (
        (axis.axes.set_xscale, axis.axes.set_xlim)
        if axis is axis.axes.xaxis
        else (axis.axes.set_yscale, axis.axes.set_ylim)
    )
    set_scale("log")
    set_limits(low, high)
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within [low, high], thinned beyond seven, with steps between them where there are too few."""
    first = math.ceil(math.log10(low))
    last = math.floor(math.log10(high))
    if last - first >= 2:
        step = math.ceil((last - first + 1) / 7)
        return [10.0**k for k in range(first, last + 1) if k % step == 0]
    for digits in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        fine = [m * 10.0**k for k in range(first - 1, last + 1) for m in digits]
        fine = [tick for tick in fine if low <= tick <= high]
        if len(fine) > 2:
            break
    return fine


def legend(figure: Figure, names: Mapping[str, Style], columns: int, *, markers: bool, lines: bool = True) -> None:
    """Line, marker and name of every competitor under the panel."""
    from matplotlib.lines import Line2D

    bare = {} if lines else {"linestyle": "none"}
    handles = [Line2D([], [], label=name, **line_style(style, markers=markers) | bare) for name, style in names.items()]
    figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.02, 0.0),
        ncols=columns,
        fontsize=8.5,
        handlelength=2.2,
        columnspacing=1.2,
        labelspacing=0.35,
        borderpad=0.2,
    )


def legend_shape(names: Mapping[str, Style]) -> tuple[int, int]:
    """(rows, columns) in which the names fit side by side."""
    longest = max((len(name) for name in names), default=1)
    columns = max(1, min(3, int(WIDTH / (0.068 * longest + 0.5))))
    return math.ceil(len(names) / columns), columns


def line_style(style: Style, *, markers: bool = True) -> dict[str, Any]:
    return {
        "color": style.colour,
        "linestyle": style.dash,
        "linewidth": 1.4,
        "marker": style.marker if markers else "",
        "markersize": 4.5,
        "zorder": 3,
        "gid": group_of(style),
    }


def group_of(style: Style) -> str | None:
    """The name of a part of a drawing that belongs to a competitor of the page: its class in the SVG."""
    return f"solver-{style.number}" if style.number >= 0 else None


def points(axes: Axes, x: Any, y: Any, filled: Any, style: Style, size: float = 4.5) -> None:
    """Markers of a line, hollow where not `filled`."""
    look = line_style(style) | {"linestyle": "none", "markersize": size}
    axes.plot(x[filled], y[filled], **look)
    axes.plot(x[~filled], y[~filled], markerfacecolor="none", **look)


def render(figure: Figure, name: str, title: str, *, key: Mapping[str, Style] | None = None) -> Drawing:
    """`key`: the names of the legend, which is then left out of the figure on the page."""
    svg = io.StringIO()
    png = io.BytesIO()
    figure.savefig(
        svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    figure.savefig(png, format="png", dpi=160, facecolor="white", metadata={"Software": None})
    text = svg.getvalue()
    body = text[text.index("<svg") :].replace("'DejaVu Sans'", FONTS)
    body = re.sub(r'id="solver-(\d+)"', r'class="s\1"', body)
    inline = _for_page(_without_legend(body, figure) if key else body, name, title)
    return Drawing(name=name, title=title, svg=_for_file(body), inline=inline, png=png.getvalue(), key=key or {})


def _without_legend(body: str, figure: Figure) -> str:
    """matplotlib draws the legend last and `new_figure` left the space under the axes for it."""
    drawn, _, rest = body.partition('<g id="legend_1">')
    height = float(figure.get_figheight())
    space = 72 * (figure.axes[0].get_position().y0 * height - UNDER_AXES)
    drawn = re.sub(r'viewBox="[^"]*"', f'viewBox="0 0 {72 * WIDTH:g} {72 * height - space:g}"', drawn, count=1)
    return f"{drawn}</g>{rest[rest.rindex('<defs>') :]}" if rest else body


def _for_file(body: str) -> str:
    """Follows the reader's light or dark setting by itself, background included."""
    light, dark = (_rule(k) for k in (0, 1))
    style = f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    head, _, rest = _coloured(body).partition(">")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}>{style}{rest}'


def _rule(k: int) -> str:
    page, ink, muted, grid = (("#ffffff", INK, MUTED, GRID), ("#14171b", DARK_INK, DARK_MUTED, DARK_GRID))[k]
    return f"background:{page};color:{ink};--muted:{muted};--grid:{grid};" + "".join(
        f"--c{i}:{c[k]};" for i, c in enumerate(COLOURS)
    )


def _for_page(body: str, name: str, title: str) -> str:
    """Identifiers made unique on the page, sizes left to the style sheet."""
    body = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'(href="|url\()#', rf"\1#{name}-", body)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r' (width|height)="[\d.]+pt"', "", body, count=2)
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return _coloured(body).replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _coloured(body: str) -> str:
    """Variables with the light colour as fallback, for viewers that know no variables."""
    variables = {INK: "currentColor", MUTED: f"var(--muted,{MUTED})", GRID: f"var(--grid,{GRID})"}
    variables |= {pair[0]: f"var(--c{slot},{pair[0]})" for slot, pair in enumerate(COLOURS)}
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: variables.get(match[0], match[0]), body)
