"""Small tables of measurements: a CSV file to compute with and a page of Markdown to read, with how they came about."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from harness.environment import environment


def write_measured(out: Path, name: str, rows: Sequence[Any], command: str) -> None:
    """NAME.csv and NAME.md in the folder `out`: a line for each of `rows`, dataclasses of one type."""
    out.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in fields(rows[0])]
    with (out / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(asdict(row) for row in rows)

    facts = environment()
    lines = [f"| {' | '.join(names)} |".replace("_", " "), f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(_shown(getattr(row, one)) for one in names)} |" for row in rows]
    machine = f"{facts.get('cpu')}, {facts.get('cores')} cores, commit {facts.get('commit')}"
    text = "\n".join([f"`{command}`", "", f"{machine}.", "", *lines, ""])
    (out / f"{name}.md").write_text(text, encoding="utf-8")


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.8g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
