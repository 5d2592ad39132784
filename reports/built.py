"""What a report consists of once it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Built:
    """The files of one report."""

    page: Path
    """report.html."""

    files: tuple[Path, ...]
    """Every path that was written, in order."""

    warnings: tuple[str, ...]
    """Lines for the reader, which also stand on the page."""
