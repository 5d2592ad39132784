"""Reports: records in; one page, its Markdown, figures and tables out. The same records give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.built import Built


def build(inputs: Sequence[Path], out: Path, *, model_ranks: int | None = None) -> Built:
    """Write report.html, report.md, figures/ and tables/ under `out`.

    inputs: folders with records.jsonl, records files, or JSON files of pytest-benchmark. Raises InputError where an
    input cannot be read or none of them holds a case. model_ranks: how far the model of scaling is drawn, by default to
    four times the ranks that were measured.
    """
    from reports.load import load  # pandas, matplotlib and Jinja2 cost a second: only when a report is made
    from reports.page import write

    return write(load(inputs), out, model_ranks)
