"""A piece: the arrays that whole sources of the sorted rows become. I sources, E edges, N entries of lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances.errors import ProblemError
from instances.per_source import Limits, PerSource, params_of
from instances.spark.layout import (
    AT_MOST,
    DESTINATION,
    POSITION,
    REPEATED,
    SOURCE,
    UNKNOWN,
    UPPER,
    WORDS,
    FamilyLayout,
    Layout,
)
from instances.tables.duplicates import lists_repeat, made_one, repeated
from instances.tables.edges import EdgeArrays
from instances.tables.source_limits import kinds_of


class Piece:
    """Raises ProblemError for a fault that the driver puts into words."""

    def __init__(self, layout: Layout, rows: Any) -> None:
        self._layout = layout
        source = rows[SOURCE].to_numpy()
        self.first = int(source[0])
        last = int(source[-1])
        self._entries = {f.entries: _entries(rows, f) for f in layout.families if f.entries is not None}
        self.edges = self._edges(rows, (source - self.first).astype(np.int32))
        local = self.edges.keys[SOURCE]
        self.degrees = np.bincount(local, minlength=last - self.first + 1)
        self.source = self.first + local.astype(np.int64)
        self.polytopes = self._polytopes(rows, source)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """`instances.content.part_arrays` of the piece."""
        layout = self._layout
        cost = self.edges.numbers[layout.objective]
        found: dict[str, npt.NDArray[Any]] = {"c": -cost if layout.maximise else cost}
        short = any(column.name == "destination" for column in layout.columns)
        for k, family in enumerate(layout.families):
            row, coefficient = ("destination", "a") if short else (f"row_{k}", f"coefficient_{k}")
            use = self._use(family, layout.dtypes.get(coefficient))
            if family.entries is not None:
                starts, entries = self._entries[family.entries]
                found[f"entry_offsets_{k}"] = starts
                found[row] = entries
                use = np.repeat(use, np.diff(starts)) if use is not None else None
            elif family.number is not None:
                found[row] = self.edges.keys[family.number]
            elif short:
                found[row] = np.zeros(self.source.size, dtype=np.int32)
            if use is not None:
                found[coefficient] = use
        if short:
            return {name: found[name] for name in ("destination", "a", "c")}
        return found

    def _use(self, family: FamilyLayout, dtype: str | None) -> npt.NDArray[Any] | None:
        """Of each edge; None where the instance has one number for all."""
        if dtype is None:
            return None
        if isinstance(family.use, str):
            return self.edges.numbers[family.use]
        return np.full(self.source.size, family.use, dtype=dtype)

    def _edges(self, rows: Any, local: npt.NDArray[np.int32]) -> EdgeArrays:
        """Each edge once, by the rule of the problem."""
        layout = self._layout
        keys = {SOURCE: local}
        for name in layout.numberings[1:]:
            if rows[name].null_count:
                raise ProblemError(f"{UNKNOWN}{name}")
            keys[name] = _numbered(rows[name]) if name == DESTINATION else rows[name].to_numpy()
        edges = EdgeArrays(
            keys=keys,
            lengths={},
            numbers={name: np.array(rows[name].to_numpy()) for name in layout.numbers},  # a sum writes into them
            position=rows[POSITION].to_numpy() if POSITION in rows.column_names else None,
            others=rows.select(list(layout.keys)).rename_columns(list(layout.keys.values())),
        )
        repeats = repeated(edges, layout.names_an_edge)
        if not repeats.any():
            return edges
        if layout.rule == "error":
            raise ProblemError(REPEATED)
        if self._entries:
            raise ProblemError(f"{WORDS}{lists_repeat(layout.labels.table, next(iter(self._entries)))}")
        try:
            return made_one(edges, repeats, layout.rule, layout.objective, layout.labels)
        except ProblemError as fault:
            raise ProblemError(f"{WORDS}{fault}") from fault

    def _polytopes(self, rows: Any, source: npt.NDArray[np.int64]) -> PerSource | None:
        parameters = self._layout.parameters
        if parameters is None:
            return None
        first = np.searchsorted(source, np.arange(source[0], source[-1] + 1))
        at_most, upper = (rows[name].to_numpy()[first] for name in (AT_MOST, UPPER))
        sets = Limits(at_most=at_most, upper=upper, equality=np.full(first.size, self._layout.equality))
        kinds = kinds_of(sets)
        return PerSource(kind=kinds, params=params_of(kinds, sets, parameters))


def _numbered(keys: Any) -> npt.NDArray[np.int32]:
    """Sorted keys as numbers that change where they do."""
    from pyarrow import compute

    values = keys.combine_chunks()
    changes = np.zeros(len(values), dtype=np.int32)
    changes[1:] = compute.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return np.cumsum(changes, dtype=np.int32)


def _entries(rows: Any, family: FamilyLayout) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Where the entries of each edge start, int64[E + 1], and their rows in order, int32[N]."""
    from pyarrow import compute

    lists = rows[family.entries].combine_chunks()
    lengths = compute.fill_null(compute.list_value_length(lists), 0).to_numpy().astype(np.int64)
    values = lists.flatten()
    numbers = compute.index_in(values, value_set=family.keys.cast(values.type))
    if numbers.null_count:
        raise ProblemError(f"{UNKNOWN}{family.entries}")
    row = numbers.to_numpy().astype(np.int32)
    edge = np.repeat(np.arange(lengths.size), lengths)
    return np.concatenate(([0], np.cumsum(lengths))), row[np.lexsort((row, edge))]
