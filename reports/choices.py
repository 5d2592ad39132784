"""What the script of the page works with: solvers, gaps, rows that the page does not show, and what decides wins.

The script is our own and needs no library: hiding, sorting and filtering rows, one scatter plot and the rules of a win
are some 600 lines, where a library for plots alone is several MB in every page. It is inlined, so a page works from a
folder, offline.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from reports.headline import NO_WIN
from reports.markers import marker_path
from reports.palette import Style
from reports.rankings import machine_of
from reports.section import Section
from reports.shown import Table
from reports.time_texts import mark_of


def page_data(sections: Sequence[Section], styles: Mapping[str, Style]) -> str:
    """A JSON text that is safe within a script element: {solvers, gaps, rest, standings, words}."""
    tables = [table for section in sections for table in section.tables]
    solvers = [
        {"name": name, "number": style.number, "slot": style.slot, "path": marker_path(style)}
        for name, style in styles.items()
    ]
    data = {
        "solvers": solvers,
        "gaps": list(dict.fromkeys(table.gap for table in tables if table.gap)),
        "rest": {table.name: table.rest for table in tables if table.rest},
        "standings": [_standing(table, table.standing) for table in tables if table.standing is not None],
        "words": NO_WIN,
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


#: What templates/standing.js calls the columns of outcomes.outcomes.
_COLUMNS = {
    "competitor": "solver",
    "asked": "asked",
    "seconds": "seconds",
    "least": "least",
    "most": "most",
    "alone": "alone",
    "seconds_with_prepare": "total",
    "limit": "limit",
    "at_most": "atMost",
    "time_limit": "given",
    "timed_out": "timedOut",
    "mark": "mark",
}
_DIGITS = 9  # significant: more than any text of the page shows


def _standing(table: Table, rows: pd.DataFrame) -> dict[str, object]:
    """One table of the answer with the table of wins beside it, and its outcomes row by row."""
    rows = rows.assign(mark=[mark_of(row) for row in rows.to_dict("records")])
    numbers = [[_plain(value) for value in row] for row in rows[list(_COLUMNS)].itertuples(index=False, name=None)]
    return {
        "table": table.name,
        "wins": f"winners{table.name.removeprefix(f'matrix-{table.gap}')}",
        "gap": table.gap,
        "machine": _machine(rows),
        "columns": ["instance", *_COLUMNS.values()],
        "rows": [[str(name), *row] for name, row in zip(rows["instance"], numbers, strict=True)],
    }


def _machine(rows: pd.DataFrame) -> str:
    """What all names of competitors end with, which the words about one machine leave out; "" where there is one."""
    machine = "".join(machine_of(str(name)) for name in rows["machine"].unique()[:1])
    return machine if rows["competitor"].str.endswith(machine).all() else ""


def _plain(value: object) -> object:
    """null for NaN; numbers shortened to what decides."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")
    return value if isinstance(value, str) else bool(value)
