"""Markers as small SVG paths, for legends and figures that the page draws itself."""

from __future__ import annotations

import numpy as np

from reports.canvas import settings
from reports.palette import Style


def swatch(style: Style) -> str:
    """Line and marker of a competitor as a small SVG, for a legend that the page sets itself."""
    width = 1.5
    dashes = "" if isinstance(style.dash, str) else " ".join(f"{width * part:g}" for part in style.dash[1])
    return (
        '<svg class="swatch" viewBox="0 0 30 12" aria-hidden="true">'
        f'<path d="M0 6H30" stroke="var(--c{style.slot})" stroke-width="{width}" stroke-dasharray="{dashes}"/>'
        f'<path d="{marker_path(style, 15, 6, 7)}" fill="var(--c{style.slot})"/></svg>'
    )


def marker_path(style: Style, x: float = 0, y: float = 0, size: float = 9) -> str:
    """The outline of a marker around a point as an SVG path."""
    with settings():
        from matplotlib.markers import MarkerStyle

        marker = MarkerStyle(style.marker)
    outline = np.asarray(marker.get_path().transformed(marker.get_transform()).to_polygons()[0], dtype=float)
    return f"M{'L'.join(f'{x + size * across:.1f} {y - size * up:.1f}' for across, up in outline)}Z"
