"""Reports: records in; one page, its Markdown, figures and tables out. The same records give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reports.built import Built

About = Callable[[str], Sequence[tuple[str, str]]]


def build(
    inputs: Sequence[Path],
    out: Path,
    *,
    model_ranks: int | None = None,
    prices: Mapping[str, float] | None = None,
) -> Built:
    """Write report.html, report.md, figures/ and tables/ under `out`.

    inputs: folders with records.jsonl, records files, or JSON files of pytest-benchmark. Raises InputError where an
    input cannot be read or none of them holds a case. model_ranks: how far the model of scaling is drawn, by default to
    four times the ranks that were measured. prices: dollars an hour by the letter of a machine, where its runs say none
    or another.
    """
    from reports.load import load  # pandas, matplotlib and Jinja2 cost a second: only when a report is made
    from reports.page import write

    return write(replace(load(inputs), prices=prices or {}), out, model_ranks)


def build_site(inputs: Sequence[Path], out: Path, about_family: About, about_solver: About) -> Built:
    """Write index.html and the pages of runs, families, solvers and the history under `out`.

    inputs: one a run, a folder with records or a folder of such folders. about_family, about_solver: (topic, sentence)
    of what a name stands for. Raises InputError as `build`.
    """
    from reports import site

    return site.build_site(inputs, out, about_family, about_solver)
