"""Rows of decisions.parquet and prices.parquet by the edges and rows of an LP: what an output says of these tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.decisions.outcome import Float64
from harness.decisions.tables import X, row_names
from instances import InputError
from instances.tables import Stated

_EDGE = "edge of the LP"


class DamagedError(InputError):
    """A file of the folder is not what `dualbench solve` writes; the text says which and why."""


def read_columns(file: Path, columns: tuple[str, ...]) -> Any:
    """An Arrow table of these columns of a Parquet file; DamagedError where it has them not."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(file, columns=list(columns)).select(list(columns))
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise DamagedError(f"{file.name} cannot be read ({' '.join(str(error).split())[:200]})") from error


def decided_edges(rows: Any, stated: Stated, name: str) -> tuple[npt.NDArray[np.int64], Float64]:
    """The edge of each row of decisions, -1 where no edge has its keys, and its x; in any order of the rows.

    name: of the file, for errors. Raises DamagedError for keys of other types than those of the tables, a row that
    stands twice, and x that is no number from 0.
    """
    import pyarrow as pa

    keys = stated.problem.key_columns
    edges = stated.edge_columns(keys)
    try:
        rows = rows.cast(pa.schema([*(edges.schema.field(key) for key in keys), pa.field(X, pa.float64())]))
    except (pa.ArrowException, ValueError) as error:
        raise DamagedError(f"{name} has other types than the tables: {error}") from error

    numbered = edges.append_column(_EDGE, pa.array(np.arange(stated.lp.edges)))
    found = rows.join(numbered, keys=keys, join_type="left outer")
    edge = found[_EDGE].fill_null(-1).to_numpy()
    values = found[X].to_numpy()
    known = edge[edge >= 0]
    if np.unique(known).size != known.size:
        raise DamagedError(f"{name} has two rows of one edge")
    if not (np.isfinite(values) & (values >= 0)).all():
        raise DamagedError(f"{name} has an x that is no number from 0")
    return edge, values


def numbered_rows(prices: Any, stated: Stated) -> npt.NDArray[np.int64]:
    """The row of the LP of each row of prices, -1 where it has none of that family and key."""
    number = {name: row for row, name in enumerate(row_names(stated))}
    names = zip(prices["family"].to_pylist(), prices["key"].to_pylist(), strict=True)
    texts = ((str(family), None if key is None else str(key)) for family, key in names)
    return np.array([number.get(text, -1) for text in texts], np.int64)
