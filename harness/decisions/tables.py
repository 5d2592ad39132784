"""Decisions and prices as Arrow tables, with the keys of the user's own tables. E edges, R rows.

Prices are in the user's sign: by how much the objective changes where the limit that binds grows by one unit. So where
the objective is maximised the price of an upper limit is at least 0 and that of a lower one at most 0; where it is
minimised, the other way round. In the sign of `solvers.Answer.dual` that is y, and -y.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.general.layers import sides_of
from instances import InputError, activities
from instances.tables import Problem, Stated

Float64 = npt.NDArray[np.float64]
#: Our own column of the decisions.
X = "x"


def decision_columns(problem: Problem, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of edges that stand beside x: those that name an edge, and `columns`.

    Raises InputError where one is called x.
    """
    further = [columns] if isinstance(columns, str) else columns
    names = tuple(dict.fromkeys([*problem.key_columns, *further]))
    if X in names:
        raise InputError(f"the column {X!r} of edges has the name of a column of the decisions: rename it")
    return names


def decisions_table(stated: Stated, x: Float64, columns: Sequence[str], *, all_edges: bool = False) -> Any:
    """`columns` of the edges and x[E], in the order of the edges; all_edges: those with x = 0 too."""
    import pyarrow as pa

    if all_edges:
        return stated.edge_columns(columns).append_column(X, pa.array(x))
    used = np.flatnonzero(x > 0)
    return stated.edge_columns(columns, used).append_column(X, pa.array(x[used]))


def prices_table(stated: Stated, x: Float64, dual: Float64 | None) -> Any:
    """A row for each row of the LP, family after family; dual[R] in the sign of `solvers.Answer.dual`.

    What a row has not (a key, a limit, a price) is null.
    """
    import pyarrow as pa

    families = stated.lp.rows
    sides = sides_of(stated.lp)
    load = activities(stated.lp, x)
    room = np.minimum(sides.upper - load, load - sides.lower)
    names = np.repeat([family.name for family in families], [family.rows for family in families])
    return pa.table(
        {
            "family": pa.array(names),
            "key": _row_keys(stated),
            "price": pa.nulls(load.size, pa.float64()) if dual is None else pa.array(in_users_sign(stated, dual)),
            "load": pa.array(load),
            "lower": _without_infinite(sides.lower),
            "upper": _without_infinite(sides.upper),
            "slack": _without_infinite(np.maximum(room, 0.0)),
            "violation": pa.array(np.maximum(-room, 0.0)),
        }
    )


def in_users_sign(stated: Stated, dual: Float64) -> Float64:
    """From y[R] to prices, and from prices to y: a change of sign where the objective is minimised."""
    return dual + 0.0 if stated.maximise else 0.0 - dual


def row_names(stated: Stated) -> list[tuple[str, str | None]]:
    """Family and key of each row of the LP, the key as text; None where one row holds all edges."""
    names = [family.name for family in stated.lp.rows for _ in range(family.rows)]
    keys = _row_keys(stated).to_pylist()
    return [(name, None if key is None else str(key)) for name, key in zip(names, keys, strict=True)]


def _row_keys(stated: Stated) -> Any:
    """The keys of all rows: of the type of the user's column where all families with keys share one, else as text."""
    import pyarrow as pa

    keys = {family.name: _one_column(stated.row_keys(family.name)) for family in stated.lp.rows}
    kinds = {found.type for found in keys.values() if found is not None}
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    parts = []
    for family in stated.lp.rows:
        found = keys[family.name]
        if found is None:
            parts.append(pa.nulls(family.rows, kind))
        else:
            parts.append(found if found.type == kind else _as_text(found))
    return pa.chunked_array(parts, kind)


def _as_text(keys: Any) -> Any:
    """Arrow has no text for UUIDs, and none for bytes that are no UTF-8: Python has."""
    import pyarrow as pa

    if pa.types.is_large_binary(keys.type) or isinstance(keys.type, pa.UuidType):
        return pa.array([str(key) for key in keys.to_pylist()], pa.string())
    return keys.cast(pa.string())


def _one_column(keys: Any | None) -> Any | None:
    """A key of several columns as the text of a JSON list."""
    import pyarrow as pa

    if keys is None or not pa.types.is_struct(keys.type):
        return keys
    return pa.array([json.dumps([*row.values()], default=str, ensure_ascii=False) for row in keys.to_pylist()])


def _without_infinite(values: Float64) -> Any:
    import pyarrow as pa

    return pa.array(values, mask=np.isinf(values))
