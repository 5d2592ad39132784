"""The edges as arrays, in the order of the LP.

E edges, or rows of the table of edges where some stand more than once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import ProblemError
from instances.mapped import release_pages
from instances.tables.faults import refusal
from instances.tables.long_arrays import are_finite, empty, is_too_long, least, taken
from instances.tables.numbering import Numbering
from instances.tables.opened import OpenTable
from instances.tables.plan import Plan
from instances.tables.returned import others_as_they_came
from instances.tables.session import rows_of

_BATCH = 1 << 18  # rows that come from DuckDB at once


@dataclass(kw_only=True, eq=False)
class EdgeArrays:
    """Arrays of one length, by their names in the plan."""

    keys: dict[str, npt.NDArray[np.int32]]
    """int32[E] by the name of the numbering."""
    lengths: dict[str, npt.NDArray[np.int32]]
    """int32[E] of each edge's list of keys, by the name of the numbering."""
    numbers: dict[str, npt.NDArray[Any]]
    """float32[E] or float64[E] by the column."""
    position: npt.NDArray[np.int64] | None
    """int64[E], the place of each row in the files by path; None where nobody asked."""
    others: Any
    """Arrow table of E rows with the other columns that were asked for, by their names."""

    def at(self, rows: npt.NDArray[np.int64]) -> EdgeArrays:
        """These rows alone."""
        return EdgeArrays(
            keys={name: taken(array, rows) for name, array in self.keys.items()},
            lengths={name: taken(array, rows) for name, array in self.lengths.items()},
            numbers={column: taken(array, rows) for column, array in self.numbers.items()},
            position=None if self.position is None else taken(self.position, rows),
            others=self.others.take(rows),
        )


def read_edges(connection: Any, plan: Plan, others: Sequence[str] = (), *, positions: bool = False) -> EdgeArrays:
    """All rows of the edges; ProblemError that shows the first whose key is not numbered or number is none."""
    import pyarrow as pa

    ((count,),) = rows_of(connection, f"SELECT count(*) FROM {plan.edges.name}")
    asked = [f"o{n}" for n in range(len(others))]
    on_disk = is_too_long(count)
    arrays: dict[str, npt.NDArray[Any]] = {}
    parts = []
    filled = 0
    reader = connection.sql(plan.query(others, positions=positions)).to_arrow_reader(_BATCH)
    for batch in reader:
        parts.append(batch.select(asked))
        for name in batch.schema.names:
            if name in asked:
                continue
            values = batch[name].to_numpy(zero_copy_only=False)
            if name not in arrays:
                arrays[name] = empty(count, values.dtype, on_disk=on_disk)
            arrays[name][filled : filled + len(batch)] = values
            release_pages(arrays[name], filled, filled + len(batch))
        filled += len(batch)

    keys = {one.name: arrays[one.name] for one in plan.numberings}
    numbers = {column: arrays[f"v{n}"] for n, column in enumerate(plan.numbers)}
    for one in plan.numberings:
        if least(keys[one.name]) < 0:
            raise _unknown_key(connection, plan.edges, plan, one)
    for column, values in numbers.items():
        if not are_finite(values):
            raise _no_number(connection, plan, column)
    return EdgeArrays(
        keys=keys,
        lengths={one.name: arrays[one.name] for one in plan.ragged},
        numbers=numbers,
        position=arrays.get("position"),
        others=others_as_they_came(plan.edges, others, pa.Table.from_batches(parts)),
    )


def read_entries(connection: Any, plan: Plan, ragged: Numbering) -> npt.NDArray[np.int32]:
    """int32[N], the number of the key of each entry of the edges' lists, edge after edge and sorted within one."""
    assert ragged.entries is not None
    reader = connection.sql(plan.entries_query(ragged)).to_arrow_reader(_BATCH)
    parts = [batch[ragged.name].to_numpy(zero_copy_only=False) for batch in reader]
    rows: npt.NDArray[np.int32] = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)
    if rows.min(initial=0) < 0:
        raise _unknown_key(connection, ragged.entries, plan, ragged)
    return rows


def check_not_negative(connection: Any, plan: Plan, column: str, values: npt.NDArray[Any]) -> None:
    """ProblemError that shows the first edge with a number below 0, of one that is its limit."""
    if values.min(initial=0.0) < 0:
        columns = [*columns_of(plan.names_an_edge), column]
        sentence = f"column {column} ([edges] at_most) is negative"
        raise refusal(connection, plan.edges, f"{plan.numbers[column]} < 0", columns, sentence, "it must be at least 0")


def _unknown_key(connection: Any, edges: OpenTable, plan: Plan, unknown: Numbering) -> ProblemError:
    columns = columns_of([unknown, *plan.names_an_edge])
    null = " OR ".join(f"{one} IS NULL" for one in unknown.edge)
    if rows_of(connection, f"SELECT 1 FROM {edges.name} AS t WHERE {null} LIMIT 1"):
        return refusal(connection, edges, null, columns, *null_key(unknown))
    absent = f"NOT EXISTS (FROM {unknown.name} WHERE {unknown.join})"
    return refusal(connection, edges, absent, columns, *absent_key(unknown))


def _no_number(connection: Any, plan: Plan, column: str) -> ProblemError:
    columns = [*columns_of(plan.names_an_edge), column]
    bad = f"NOT isfinite({plan.numbers[column]})"
    return refusal(connection, plan.edges, bad, columns, *no_number(column))


def columns_of(numberings: Sequence[Numbering]) -> list[str]:
    """The columns of the edges that hold the keys."""
    return [column for one in numberings for column in one.columns]


def null_key(unknown: Numbering) -> tuple[str, str]:
    """Sentence and remedy for edges without a key."""
    return f"the key {' and '.join(unknown.columns)} is null", "give each edge its key"


def absent_key(unknown: Numbering) -> tuple[str, str]:
    """Sentence and remedy for edges whose key the table of the limit has not."""
    return f"the key {' and '.join(unknown.columns)} has no row in {unknown.label}", "add one, or leave the edge out"


def no_number(column: str) -> tuple[str, str]:
    """Sentence and remedy for edges without a number that is one."""
    return f"column {column} is no finite number", "give one, or leave the edge out"
