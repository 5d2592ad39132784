"""What the script of the page works with: solvers, gaps, and the rows that the page itself does not show.

The script is our own and needs no library: hiding, sorting and filtering rows and one scatter plot are some 300 lines,
where a library for plots alone is several MB in every page. It is inlined, so a page works from a folder, offline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from reports.markers import marker_path
from reports.palette import Style
from reports.section import Section


def page_data(sections: Sequence[Section], styles: Mapping[str, Style]) -> str:
    """A JSON text that is safe within a script element: {solvers, gaps, rest}."""
    tables = [table for section in sections for table in section.tables]
    solvers = [
        {"name": name, "number": style.number, "slot": style.slot, "path": marker_path(style)}
        for name, style in styles.items()
    ]
    data = {
        "solvers": solvers,
        "gaps": list(dict.fromkeys(table.gap for table in tables if table.gap)),
        "rest": {table.name: table.rest for table in tables if table.rest},
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
