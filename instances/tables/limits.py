"""Each limit as a family of rows. E edges, R rows, N entries of lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import ProblemError
from instances.rows import RaggedRows, Rows
from instances.tables.amounts import amount_columns, fetch_arrays
from instances.tables.edges import EdgeArrays, read_entries
from instances.tables.numbering import Numbering
from instances.tables.plan import Plan
from instances.tables.statement import Limit
from instances.words import shown

Float64 = npt.NDArray[np.float64]


def family_rows(
    connection: Any, limit: Limit, plan: Plan, numbering: Numbering | None, rows: EdgeArrays
) -> Rows | RaggedRows:
    """The rows of `limit`, whose keys `numbering` has; None where all edges lie in one row."""
    sides = limit_sides(connection, limit, numbering)
    use = rows.numbers[limit.use] if isinstance(limit.use, str) else limit.use
    if numbering is None or numbering.entries is None:
        row = None if numbering is None else rows.keys[numbering.name]
        return Rows(limit.name, row=row, coefficient=use, **sides)

    lengths = rows.lengths[numbering.name]
    return RaggedRows(
        limit.name,
        entry_offsets=np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))),
        row=read_entries(connection, plan, numbering),
        coefficient=np.repeat(use, lengths) if isinstance(use, np.ndarray) else use,
        **sides,
    )


def limit_sides(connection: Any, limit: Limit, numbering: Numbering | None) -> dict[str, Any]:
    """lower, upper and penalty of each row, as families of rows take them; ProblemError where they contradict."""
    amounts = _amounts(connection, limit, numbering)
    exact = amounts.get("equals")
    lower, upper = amounts.get("at_least", exact), amounts.get("at_most", exact)
    _check_sides(limit, numbering, lower, upper)
    return {"lower": lower, "upper": upper, "penalty": amounts.get("penalty", np.inf)}


def _amounts(connection: Any, limit: Limit, rows: Numbering | None) -> dict[str, Float64]:
    """float64[R] of each amount that is given, by its name."""
    count = 1 if rows is None else rows.count
    columns = amount_columns(limit)
    found = (
        fetch_arrays(connection, f"SELECT {', '.join(columns)} FROM {rows.name} ORDER BY rowid")
        if rows and columns
        else {}
    )
    return {name: found[name] if name in found else np.full(count, value) for name, value in limit.amounts.items()}


def _check_sides(limit: Limit, numbering: Numbering | None, lower: Float64 | None, upper: Float64 | None) -> None:
    if lower is None or upper is None or not (lower > upper).any():
        return
    at = int(np.argmax(lower > upper))
    key = "" if numbering is None else f" for the key {shown(str(numbering.keys[at].as_py()))}"
    sides = f"at_least {lower[at]:g} above at_most {upper[at]:g}"
    raise ProblemError(f"limit {limit.name} has {sides}{key}: swap or widen them")
