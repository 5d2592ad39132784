"""The job: a problem over tables becomes a stored instance in shards, with the keys of its edges and rows beside it.

I sources, E edges, R rows. The LP is that of `Problem.build`, to the bit: the same numbers, the same order, the same
content hash. What it is apart from its edges is an LP of one edge, the model: made as any LP is, on the driver, it has
the limits of all rows, the form of each family and the types of the arrays.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.content import edge_arrays_of, limits_hash
from instances.edge_files import EDGES_FILE
from instances.errors import InputError
from instances.kept_keys import KEYS_OF_EDGES, holds_keys, write_keys
from instances.matching import MatchingLP
from instances.parquet_edges import edge_columns, most_edges
from instances.parquet_tables import POLYTOPES_FILE, write_limits
from instances.readers.parquet import SPEC_FILE, header_of
from instances.row_groups import RowGroups
from instances.rows import RaggedRows, Rows
from instances.spark.faults import refused
from instances.spark.frames import spark_errors
from instances.spark.layout import FamilyLayout, Layout
from instances.spark.pieces import SUMMARY, pieces_writer
from instances.spark.plan import SparkPlan, key_name, number_name, planned, unused_keys
from instances.tables.duplicates import Labels
from instances.tables.limits import limit_sides
from instances.tables.numbering import Numbering
from instances.tables.problem import Problem
from instances.tables.session import session
from instances.tables.statement import Limit
from instances.whole_folder import remove_left_behind, written_folder

#: The numbers of the sources, while the job runs.
_NUMBERS = "numbers"
#: Rows of a file of edges, about.
_ROWS_OF_A_FILE = 1 << 22
#: Where there are fewer rows than this for each task that could run, there are fewer tasks.
_LEAST_ROWS_OF_A_TASK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the job wrote."""

    folder: Path
    edges: int
    sources: int
    row_groups: int
    """As many ranks can share the instance."""
    content: str
    """The content hash of the LP."""
    notes: tuple[str, ...]
    """What the tables hold that the LP does not need, in sentences."""


def write_shards(
    spark: Any,
    problem: Problem,
    out: Path | str,
    *,
    columns: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Written:
    """Write the LP of `problem` as the folder `out`, whole or not at all, in the place of what an earlier job wrote.

    spark: a SparkSession. columns: of the edges, to stand beside x in the decisions. `out` must be a path that all
    executors see. Raises ProblemError, in one line, for data that make no LP, InputError where `out` holds anything
    else.
    """
    tell = progress or (lambda _: None)
    out = Path(out).absolute()
    _check_out(out)
    remove_left_behind(out)
    failed = spark_errors(f"Spark failed on {problem.edges.table.label}")
    with session(None, None) as connection, failed, written_folder(out, replace=True) as partial:
        tell("numbering the keys")
        plan = planned(spark, connection, problem, columns, partial / _NUMBERS)
        model = _model(connection, plan, problem)

        tell(f"sorting and writing {plan.rows:,} edges of {plan.sources.count:,} sources")
        pieces = _write_edges(spark, connection, plan, _layout(plan, problem, model, partial))
        shutil.rmtree(partial / _NUMBERS)
        notes = unused_keys(spark, plan)
        write_keys(partial, problem, plan.keys, plan.plan.families, notes)
        write_limits(model, partial)

        tell("hashing what was written")
        content = _write_header(partial, plan, problem, model, pieces)
    return Written(
        folder=out,
        edges=sum(piece["edges"] for piece in pieces),
        sources=plan.sources.count,
        row_groups=len(pieces),
        content=content,
        notes=notes,
    )


def _check_out(out: Path) -> None:
    """InputError where `out` holds what no earlier job wrote."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out} is not a folder: give a new or empty folder")
    if out.exists() and any(out.iterdir()) and not holds_keys(out):
        raise InputError(f"{out} holds something else: give a new or empty folder")


def _model(connection: Any, plan: SparkPlan, problem: Problem) -> MatchingLP:
    """The LP of one edge whose coefficients are the least, so that it has the form of the whole."""
    families: list[Rows | RaggedRows] = []
    for limit, numbering in zip(problem.limits, plan.plan.families, strict=True):
        sides = limit_sides(connection, limit, numbering)
        use = _least(plan, limit.use) if isinstance(limit.use, str) else limit.use
        if numbering is None or numbering.entries is None:
            row = None if numbering is None else np.zeros(1, dtype=np.int32)
            families.append(Rows(limit.name, row=row, coefficient=use, **sides))
            continue
        entries = min(1, numbering.count)
        starts, row = np.array([0, entries]), np.zeros(entries, dtype=np.int32)
        use = use[:entries] if isinstance(use, np.ndarray) else use
        families.append(RaggedRows(limit.name, entry_offsets=starts, row=row, coefficient=use, **sides))
    cost = _least(plan, problem.objective)
    return MatchingLP(offsets=np.array([0, 1]), c=cost, polytope=plan.sources.polytope, rows=families)


def _least(plan: SparkPlan, column: str) -> npt.NDArray[Any]:
    """The least number of a column, in the type of the whole, [1]."""
    dtype = np.float32 if plan.edges.opened.columns[column] == "float" else np.float64
    return np.array([plan.least[column]], dtype=dtype)


def _layout(plan: SparkPlan, problem: Problem, model: MatchingLP, folder: Path) -> Layout:
    """What executors need to know; makes the folders that they write into."""
    header = header_of(model, "", "")
    names = [EDGES_FILE, KEYS_OF_EDGES, *([POLYTOPES_FILE] if plan.sources.parameters is not None else [])]
    for name in names:
        (folder / name).mkdir(parents=True)
    tables = plan.plan
    return Layout(
        folder=str(folder),
        columns=tuple(edge_columns(header)),
        dtypes={name: array.dtype.str for name, array in edge_arrays_of(model).items()},
        families=tuple(map(_family_layout, problem.limits, tables.families)),
        objective=number_name(problem.objective),
        maximise=problem.maximise,
        numbers=tuple(map(number_name, tables.numbers)),
        numberings=tuple(one.name for one in tables.numberings),
        names_an_edge=tuple(one.name for one in tables.names_an_edge),
        keys={key_name(n): column for n, column in enumerate(plan.keys)},
        rule=problem.edges.duplicates,
        labels=Labels(table=tables.edges.label, columns={one.name: one.columns for one in tables.numberings}),
        most=most_edges(plan.rows),
        parameters=plan.sources.parameters,
        equality=plan.sources.equality,
    )


def _family_layout(limit: Limit, numbering: Numbering | None) -> FamilyLayout:
    use = number_name(limit.use) if isinstance(limit.use, str) else limit.use
    if numbering is None:
        return FamilyLayout(number=None, use=use)
    if numbering.entries is None:
        return FamilyLayout(number=numbering.name, use=use)
    return FamilyLayout(number=None, entries=numbering.name, keys=numbering.keys, use=use)


def _write_edges(spark: Any, connection: Any, plan: SparkPlan, layout: Layout) -> list[Any]:
    """What was written, piece after piece."""
    tasks = max(1, min(spark.sparkContext.defaultParallelism, plan.rows // _LEAST_ROWS_OF_A_TASK))
    partitions = max(tasks, math.ceil(plan.rows / _ROWS_OF_A_FILE))
    rows = plan.sorted_rows(spark, partitions)
    pieces = sorted(rows.mapInArrow(pieces_writer(layout), SUMMARY).collect(), key=lambda piece: piece["first"])
    faults = [piece["fault"] for piece in pieces if piece["fault"]]
    if faults:
        raise refused(spark, connection, plan.edges, plan.plan, min(faults))
    return pieces


def _write_header(folder: Path, plan: SparkPlan, problem: Problem, model: MatchingLP, pieces: Sequence[Any]) -> str:
    """Write spec.json; the content hash."""
    place = "tables in memory" if problem.path is None else f"problem:path={problem.path.absolute()}"
    header = header_of(model, place, "")
    header |= {"sources": plan.sources.count, "edges": sum(piece["edges"] for piece in pieces)}
    header |= {"pieces": [piece["digest"] for piece in pieces], "budgets": limits_hash(model)}
    spec = folder / SPEC_FILE
    spec.write_text(json.dumps(header))
    header["content"], nbytes = RowGroups(folder).content()
    header["bytes"] = nbytes + sum(family.sides.nbytes for family in model.rows)
    spec.write_text(json.dumps(header, indent=1) + "\n")
    return str(header["content"])
