"""MPS and LP files as matching LPs: the source blocks are found, every other row couples.

A block is a row whose coefficients are all alike; it becomes a source 1'x <= z or 1'x = z. A column outside the blocks
becomes a source of its own, a box, and needs two finite bounds. Lower bounds are shifted to 0. A block with columns
whose upper bounds are below z is a box-cut, of these bounds where they differ. All other rows are one family, "rows",
with the names of the file as keys. Integer columns are relaxed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from instances.errors import InstanceError, SpecError
from instances.matching import MatchingLP
from instances.per_source import Limits, polytope_of
from instances.polytopes import Kind
from instances.readers._blocks import Sums, disjoint, sums_of
from instances.readers._highs_file import FileLP, read_file, unpacked
from instances.rows import RaggedRows, Rows

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
#: Raise when the search makes another LP of the same file.
_RULE = 2
_SHOWN = 8  # names in a sentence


@dataclass(frozen=True, kw_only=True, eq=False)
class FileReport:
    """How the LP of a file became a matching LP, and the way back."""

    column: Indices
    """Number in the file of each edge's column, int64[E]."""
    names: npt.NDArray[np.str_]
    """Name of each edge's column."""
    shift: Float64
    """Lower bound of each edge's column, which was taken off, float64[E]."""
    sources: npt.NDArray[np.str_]
    """Name of each source: the row of its block, or the column of a box."""
    blocks: int
    """Sources that are blocks; the others are boxes."""
    covered: float
    """Share of the columns that lie in blocks."""
    coupling: npt.NDArray[np.str_]
    """Names of the rows that couple."""
    bounded: int
    """Columns whose upper bound is below that of others of their block, and below z."""
    maximise: bool
    """Whether the file maximises; the matching LP minimises the negative."""
    offset: float
    """What the file's objective has beside that of the matching LP, constants of shifts included."""

    def file_objective(self, value: float) -> float:
        """The file's objective where that of the matching LP is `value`."""
        return (-value if self.maximise else value) + self.offset

    def file_x(self, x: npt.NDArray[np.floating]) -> Float64:
        """The file's columns in its order, from x[E]."""
        values = np.empty(self.column.size)
        values[self.column] = x + self.shift
        return values

    def lines(self) -> list[tuple[str, str]]:
        """(topic, sentence) for people."""
        boxes = self.sources.size - self.blocks
        found = f"{self.covered:.1%} of {self.column.size:,} columns lie in {self.blocks:,} blocks, {boxes:,} are boxes"
        shown = ", ".join(self.coupling[:_SHOWN]) or "none"
        more = self.coupling.size - _SHOWN
        lines = [("found", found), ("couple", f"{shown}{f' and {more:,} more' if more > 0 else ''}")]
        if self.bounded:
            lines.append(("bounds", f"{self.bounded:,} columns have a smaller upper bound than others of their block"))
        if self.maximise or self.offset:
            sign = "minus " if self.maximise else ""
            lines.append(("objective", f"the file's is {sign}that of the instance plus {self.offset:.15g}"))
        return lines


def read_mps(path: Path | str) -> tuple[MatchingLP, FileReport]:
    """The LP in an MPS or LP file, packed as .gz or not, and how it was understood.

    Raises InputError that names the file, and the column or row that no matching LP can have.
    """
    given = read_file(Path(path))
    _check_columns(given, path)
    at_lower = given.matrix @ given.lower
    row_lower, row_upper = given.row_lower - at_lower, given.row_upper - at_lower
    sums = sums_of(given.matrix, row_lower, row_upper)
    chosen = disjoint(given.matrix, sums)
    sources = _sources(given, sums, chosen, path)

    coupling = np.ones(given.rows.size, dtype=np.bool_)
    coupling[sums.row[chosen]] = False
    coupling &= np.isfinite(row_lower) | np.isfinite(row_upper)
    families: list[Rows | RaggedRows] = []
    if coupling.any():
        families.append(_coupling(given, coupling, row_lower, row_upper, sources.column))
    bounded = int((sources.upper < sources.limits.upper[sources.source]).sum())
    lp = MatchingLP(
        offsets=sources.offsets,
        c=given.cost[sources.column],
        polytope=polytope_of(sources.kind, sources.limits, sources.upper if bounded else None),
        rows=families or [Rows("none", coefficient=0.0, upper=np.inf)],
    )
    sign = -1.0 if given.maximise else 1.0
    report = FileReport(
        column=sources.column,
        names=given.columns[sources.column],
        shift=given.lower[sources.column],
        sources=sources.names,
        blocks=chosen.size,
        covered=float(np.diff(sources.offsets)[: chosen.size].sum() / max(1, sources.column.size)),
        coupling=given.rows[coupling],
        bounded=bounded,
        maximise=given.maximise,
        offset=given.offset + sign * float(given.cost @ given.lower),
    )
    return lp, report


class _Sources(NamedTuple):
    """Blocks in the order of their rows, then a box for each other column."""

    offsets: Indices
    column: Indices
    """Of each edge."""
    source: Indices
    """Of each edge."""
    upper: Float64
    """Of each edge, z where the file's is larger; inf in blocks without a bound below z."""
    kind: npt.NDArray[np.uint8]
    limits: Limits
    names: npt.NDArray[np.str_]


def _check_columns(given: FileLP, path: Path | str) -> None:
    if not given.cost.size:
        raise InstanceError(f"{path} has no columns: nothing is to be matched")
    low, high = given.lower, given.upper
    for bad, reason in (
        (~np.isfinite(low), "has no finite lower bound: give it one, sources of a matching LP are bounded"),
        (low > high, "has a lower bound above its upper bound: no point is feasible"),
    ):
        if bad.any():
            at = int(np.argmax(bad))
            raise InstanceError(f"{path}: column {given.columns[at]} in {low[at]:g}..{high[at]:g} {reason}")


def _sources(given: FileLP, sums: Sums, chosen: Indices, path: Path | str) -> _Sources:
    matrix, row = given.matrix, sums.row[chosen]
    inside = [np.sort(matrix.indices[matrix.indptr[r] : matrix.indptr[r + 1]]) for r in row.tolist()]
    outside = np.ones(given.cost.size, dtype=np.bool_)
    for columns in inside:
        outside[columns] = False
    boxes = np.flatnonzero(outside)
    unbounded = boxes[~np.isfinite(given.upper[boxes])]
    if unbounded.size:
        raise InstanceError(
            f"{path}: column {given.columns[unbounded[0]]} has no upper bound and lies in no block (a row of equal "
            f"coefficients that shares no column with another block); {unbounded.size} such columns: give them bounds"
        )
    column = np.concatenate((*inside, boxes)).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum([*map(len, inside), *[1] * boxes.size]))).astype(np.int64)
    source = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    at_most = np.concatenate((sums.at_most[chosen], np.full(boxes.size, np.inf)))
    equality = np.concatenate((sums.equality[chosen], np.zeros(boxes.size, dtype=np.bool_)))
    upper = np.minimum((given.upper - given.lower)[column], at_most[source])
    least, largest = (of.reduceat(upper, offsets[:-1]) for of in (np.minimum, np.maximum))
    cut = least < at_most
    upper = np.where(cut[source], upper, np.inf)
    kind = np.where(cut, np.where(equality, Kind.BOX_CUT_EQUALITY, Kind.BOX_CUT), equality * Kind.SIMPLEX_EQUALITY)
    kind[chosen.size :] = Kind.BOX
    limits = Limits(at_most=at_most, upper=np.where(cut, largest, np.inf), equality=equality)
    names = np.concatenate((given.rows[row], given.columns[boxes]))
    return _Sources(offsets, column, source, upper, kind.astype(np.uint8), limits, names)


def _coupling(
    given: FileLP, coupling: npt.NDArray[np.bool_], row_lower: Float64, row_upper: Float64, column: Indices
) -> Rows | RaggedRows:
    """The rows that are no blocks: aligned where each edge lies in exactly one of them, else ragged."""
    by_edge = given.matrix[coupling].tocsc()[:, column]
    limits = {"lower": row_lower[coupling], "upper": row_upper[coupling], "keys": given.rows[coupling]}
    row, coefficient = by_edge.indices.astype(np.int32), by_edge.data
    if (np.diff(by_edge.indptr) == 1).all():
        return Rows("rows", row=row, coefficient=coefficient, **limits)
    return RaggedRows("rows", entry_offsets=by_edge.indptr.astype(np.int64), row=row, coefficient=coefficient, **limits)


@dataclass(frozen=True, kw_only=True)
class MpsSpec:
    """The LP in an MPS or LP file; it is named by the content of the file, not by its place."""

    scheme: ClassVar[str] = "mps"
    family: ClassVar[str] = "mps"

    path: str

    @property
    def text(self) -> str:
        return f"mps:path={self.path}"

    @property
    def identity(self) -> str:
        return f"mps;rule {_RULE};{self._content}"

    @property
    def sources(self) -> int:
        return self._read[0].sources

    @property
    def destinations(self) -> int:
        return self._read[0].destinations

    @property
    def expected_edges(self) -> int:
        return self._read[0].edges

    @property
    def nbytes(self) -> int:
        return self._read[0].nbytes

    @property
    def report(self) -> FileReport:
        """How the file was understood."""
        return self._read[1]

    @classmethod
    def parse(cls, text: str) -> MpsSpec:
        """From "mps:path=FILE"; everything after the first "=" is the path."""
        _, _, rest = text.strip().partition(":")
        key, _, path = rest.partition("=")
        if key.strip() != "path" or not path.strip():
            raise SpecError(f"spec {text!r}: write mps:path=FILE with an MPS or LP file")
        return cls(path=path.strip())

    def read(self) -> MatchingLP:
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[MatchingLP, FileReport]:
        return read_mps(Path(self.path))

    @cached_property
    def _content(self) -> str:
        return hashlib.sha256(unpacked(Path(self.path))).hexdigest()


READER = MpsSpec
