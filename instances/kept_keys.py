"""The user's keys beside an instance that is stored in shards: what its numbers stand for, and what the problem was.

A folder `keys` beside the files of instances/readers/parquet.py holds
    edges.parquet      a row for each edge, in files, row groups and order of the edges' own: the columns that name an
                       edge, and those that were asked for
    rows_k.parquet     a row for each row of limit k, in the order of its numbers: its key, a column for each of `by`
    problem.json       what of the problem decisions and prices need, and the place of problem.toml
So whoever has x of some edges finds their keys by place, and joins nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instances.edge_files import EDGES_FILE, EdgeFiles
from instances.errors import InputError
from instances.matching import MatchingLP
from instances.tables.build import Built
from instances.tables.numbering import Numbering
from instances.tables.problem import Problem, Stated
from instances.tables.statement import Edges, Files, Limit, SourceLimits

KEYS = "keys"
#: The keys of the edges, row for row beside them.
KEYS_OF_EDGES = f"{KEYS}/{EDGES_FILE}"
_PROBLEM = f"{KEYS}/problem.json"
_FORMAT = "dualbench keys 1"


@dataclass(frozen=True, kw_only=True, eq=False)
class StatedInShards(Stated):
    """A problem with the LP of some of its shards; the keys of its edges are read from files where they are asked for.

    The keys of its sources are not kept.
    """

    files: EdgeFiles
    """Of the keys."""
    groups: range
    """The row groups that the LP is made of."""

    def edge_columns(self, names: Sequence[str], edges: Any = None) -> Any:
        """As of any problem, for the columns that are kept."""
        import pyarrow as pa

        parts = [rows.select(list(names)) for rows in self.files.read(self.groups, checked=True)]
        table = pa.concat_tables(parts)
        return table if edges is None else table.take(pa.array(edges))


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptKeys:
    """The keys of an instance in shards."""

    folder: Path
    problem: Problem
    """What matters of it; its tables are not named."""
    columns: tuple[str, ...]
    """Those of the edges that are kept."""
    families: tuple[Numbering | None, ...]
    """The keys of each limit's rows; None where all edges lie in one row."""
    notes: tuple[str, ...]

    def stated(self, lp: MatchingLP, groups: range | None = None) -> StatedInShards:
        """The problem with the LP of all shards, or of these row groups."""
        source = Numbering(name="", columns=(self.problem.edges.source,), edge=(), keys=None, label="")
        built = Built(
            lp=lp,
            source=source,
            families=self.families,
            destination=None,
            destination_numbers=None,
            key_types={},
            notes=self.notes,
            threads=None,
            memory_limit=None,
        )
        files = self.edge_files()
        all_groups = range(len(files.groups))
        return StatedInShards(
            problem=self.problem, built=built, files=files, groups=all_groups if groups is None else groups
        )

    def edge_files(self) -> EdgeFiles:
        """The keys of the edges, in the row groups of the edges."""
        return EdgeFiles(self.folder, KEYS_OF_EDGES)


def write_keys(
    folder: Path, problem: Problem, columns: Sequence[str], families: Sequence[Numbering | None], notes: Sequence[str]
) -> None:
    """All but the keys of the edges."""
    import pyarrow as pa
    from pyarrow import parquet

    for k, family in enumerate(families):
        if family is not None:
            keys = {column: family.column(column) for column in family.columns}
            parquet.write_table(pa.table(keys), folder / _rows_file(k))
    statement = {
        "format": _FORMAT,
        "problem": None if problem.path is None else str(problem.path.absolute()),
        "objective": problem.objective,
        "maximise": problem.maximise,
        "source": problem.edges.source,
        "destination": problem.edges.destination,
        "limits": [{"name": limit.name, "by": limit.by} for limit in problem.limits],
        "columns": list(columns),
        "notes": list(notes),
    }
    (folder / _PROBLEM).write_text(json.dumps(statement, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def holds_keys(folder: Path) -> bool:
    """Whether `write_keys` wrote into this folder."""
    return _read(folder) is not None


def read_keys(folder: Path) -> KeptKeys:
    """The keys in `folder`; InputError where there are none."""
    statement = _read(folder)
    if statement is None:
        raise InputError(
            f"{folder} holds no shards with keys: give a folder that `python -m instances.spark` wrote (instances/"
            "spark/SPARK.md)"
        )
    limits = tuple(Limit(name=one["name"], by=tuple(one["by"])) for one in statement["limits"])
    table = Files(patterns=(str(folder),), folder=folder)
    problem = Problem(
        objective=statement["objective"],
        maximise=statement["maximise"],
        edges=Edges(table=table, source=statement["source"], destination=statement["destination"]),
        sources=SourceLimits(),
        limits=limits,
        path=None if statement["problem"] is None else Path(statement["problem"]),
    )
    return KeptKeys(
        folder=folder,
        problem=problem,
        columns=tuple(statement["columns"]),
        families=tuple(_family(folder, k, limit) for k, limit in enumerate(limits)),
        notes=tuple(statement["notes"]),
    )


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        statement = json.loads((folder / _PROBLEM).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return statement if isinstance(statement, dict) and statement.get("format") == _FORMAT else None


def _family(folder: Path, k: int, limit: Limit) -> Numbering | None:
    import pyarrow as pa
    from pyarrow import parquet

    if not limit.by:
        return None
    try:
        table = parquet.read_table(folder / _rows_file(k)).combine_chunks()
    except (OSError, pa.ArrowException) as damage:
        raise InputError(f"{folder / _rows_file(k)} is damaged ({damage}): write the shards again") from damage
    parts = [column.combine_chunks() for column in table.columns]
    keys = parts[0] if len(parts) == 1 else pa.StructArray.from_arrays(parts, names=list(limit.by))
    return Numbering(name=f"rows_of_limit_{k}", columns=limit.by, edge=(), keys=keys, label=str(folder))


def _rows_file(k: int) -> str:
    return f"{KEYS}/rows_{k}.parquet"
