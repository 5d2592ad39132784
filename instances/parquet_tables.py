"""The tables of an instance stored as Parquet beside its edges: limits of rows and polytopes of sources.

The files and their columns are described in instances/readers/parquet.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.content import polytope_arrays, polytope_header
from instances.matching import MatchingLP
from instances.parquet_edges import Arrays, edge_columns, write_edges
from instances.per_source import PerSource
from instances.polytopes import PARAMETER_NAMES
from instances.row_arrays import SHORT
from instances.sides import SIDE_NAMES

BUDGETS_FILE = "budgets.parquet"
POLYTOPES_FILE = "polytopes.parquet"


def rows_file(family: int) -> str:
    """The limits of a family beyond the short form."""
    return f"rows_{family}.parquet"


def write_tables(lp: MatchingLP, folder: Path, header: Mapping[str, Any]) -> list[int]:
    """Returns the first source of each row group, as a reader of the table sees it, and the number of sources."""
    cuts = write_edges(lp, folder, edge_columns(header))
    write_limits(lp, folder)
    _write_polytopes(lp, folder)
    return [*cuts, lp.sources]


def write_limits(lp: MatchingLP, folder: Path) -> None:
    """The limits of all rows."""
    import pyarrow as pa
    from pyarrow import parquet

    for k, family in enumerate(lp.rows):
        row = np.arange(family.rows, dtype=np.int32)
        columns: dict[str, Any] = {"destination": row, "b": lp.b} if lp.is_short_form else {"row": row}
        if not lp.is_short_form:
            columns |= family.sides.given()
        if family.keys is not None:
            columns["key"] = family.keys.tolist() if family.keys.dtype.kind == "U" else family.keys
        parquet.write_table(pa.table(columns), folder / (BUDGETS_FILE if lp.is_short_form else rows_file(k)))


def _write_polytopes(lp: MatchingLP, folder: Path) -> None:
    from pyarrow import parquet

    if polytope_header(lp.polytope) is not None:
        return
    parquet.write_table(polytope_table(lp.per_source, 0), folder / POLYTOPES_FILE)


def polytope_table(polytopes: PerSource, first: int) -> Any:
    """Arrow table with a row for each source, of which `first` is the first."""
    import pyarrow as pa

    columns = {name: np.ascontiguousarray(array) for name, array in polytope_arrays(polytopes).items()}
    columns["kind"] = columns["kind"].astype(np.int32)
    return pa.table({"source": np.arange(first, first + columns["kind"].size), **columns})


def read_limits(folder: Path, header: Mapping[str, Any]) -> Arrays:
    """b of the short form, else the sides of each family; and the keys. Each in the place that its table says."""
    from pyarrow import parquet

    families = header.get("rows")
    if families is None or families[0]["form"] == SHORT:
        table = parquet.read_table(folder / BUDGETS_FILE)
        limits = _read_columns(table, "destination", ("b", "key"), header["destinations"], BUDGETS_FILE)
        return {"keys_0" if name == "key" else name: values for name, values in limits.items()}

    arrays: Arrays = {}
    for k, family in enumerate(families):
        table = parquet.read_table(folder / rows_file(k))
        limits = _read_columns(table, "row", (*SIDE_NAMES, "key"), family["rows"], rows_file(k))
        arrays |= {f"{'keys' if name == 'key' else name}_{k}": values for name, values in limits.items()}
    return arrays


def _read_columns(table: Any, key: str, names: Sequence[str], rows: int, file: str) -> Arrays:
    """The columns that are there, in the order of `key`."""
    order = table[key].to_numpy()
    arrays = {}
    for name in names:
        if name in table.column_names:
            values = table[name].to_numpy()
            values = np.array(values.tolist()) if values.dtype.kind == "O" else values
            arrays[name] = placed(values, order, 0, rows, file)
    return arrays


def read_polytopes(folder: Path, first: int, last: int) -> Arrays:
    """kind and parameters of sources first : last, each in the place that its `source` says."""
    from pyarrow import parquet

    table = parquet.read_table(folder / POLYTOPES_FILE, filters=[("source", ">=", first), ("source", "<", last)])
    source = table["source"].to_numpy()
    names = ("kind", *(name for name in PARAMETER_NAMES if name == "radius" or name in table.column_names))
    return {name: placed(table[name].to_numpy(), source, first, last, POLYTOPES_FILE) for name in names}


def placed(values: npt.NDArray[Any], key: npt.NDArray[Any], first: int, last: int, file: str) -> npt.NDArray[Any]:
    """values in the order of `key`, which must be first, ..., last - 1 in some order; ValueError where it is not."""
    order = np.argsort(key, kind="stable")
    if key.size != last - first or not np.array_equal(key[order], np.arange(first, last)):
        raise ValueError(f"{file} has {key.size} rows, expected one for each of {first} to {last - 1}")
    in_order: npt.NDArray[Any] = values[order]
    return in_order
