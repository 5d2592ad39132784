"""The adapter contract, documented once, here.

A solver is one class in one file of this folder (or behind the entry point group "dualbench.solvers" of another
package); nothing lists it. Verbs: `available`, `prepare` (timed as "prepare": conversion, upload, compilation) and
`run` (timed as "run"); `warm_start` where a solver can begin from an earlier answer (timed as a part of "run"). A
solver never reports its own quality: the referee judges `Answer.x` and `Answer.dual`.

Sign of the dual, float64[R] of the rows of all families: y_r > 0 is the price of the upper side of row r in a
minimisation, y_r < 0 that of its lower side, so q = c + A'y are the reduced costs and

    sum_i min over C_i of q_i'x  -  sum_r (upper_r max(y_r, 0) - lower_r max(-y_r, 0))

is a lower bound. y_r > 0 needs a finite upper_r and is at most penalty_above_r; y_r < 0 needs a finite lower_r and is
at least -penalty_below_r.
"""

from __future__ import annotations

import abc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, RowKind
from instances.row_kinds import in_words
from instances.words import Explained
from solvers.general import nonzeros
from solvers.settings import NoOptions, Settings
from solvers.start import Start

Vector = npt.NDArray[np.float32] | npt.NDArray[np.float64]
#: Nonzeros that a solver with 32-bit indices can take; for `Solver.nonzeros_limit`.
INT32_LIMIT = 2**31 - 1
#: The kinds whose explicit form is known to be right: what an adapter of a general LP solver takes. A new kind enters
#: when these solvers agree on it.
EXPLICIT_KINDS = frozenset({Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY, Kind.BOX, Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY})
#: The kinds of rows whose explicit form is known to be right: `rows` of such a solver. A new kind enters likewise.
EXPLICIT_ROWS = frozenset(
    {
        RowKind.SEVERAL,
        RowKind.RAGGED,
        RowKind.FLOOR,
        RowKind.EQUALITY,
        RowKind.RANGE,
        RowKind.NEGATIVE_COEFFICIENT,
        RowKind.NEGATIVE_LIMIT,
        RowKind.SOFT,
    }
)


class Status(Explained):
    """How a case ended; `sentence` says what that means."""

    SOLVED = "solved", "the solver claims the tolerance and the referee agrees"
    INACCURATE = (
        "inaccurate",
        "the solver claims the tolerance, the referee certifies a larger gap or none; or it says that no x satisfies "
        "the constraints, which is refuted or not proved",
    )
    ITERATION_LIMIT = "iteration_limit", "stopped at the iteration limit without claiming the tolerance"
    TIME_LIMIT = "time_limit", "stopped at the time limit, by itself or by the harness"
    MEMORY_LIMIT = "memory_limit", "ended because memory ran out"
    INFEASIBLE = "infeasible", "the solver says that no x satisfies the constraints, and a proof holds"
    CRASHED = "crashed", "the process died"
    ERROR = "error", "the solver raised, or stopped without an answer"
    SKIPPED = "skipped", "not tried; the reason says why"


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Whether a solver can run here; where not, `reason` says why and `remedy` what to install or change.

    apart: what is in the way is in this process alone, so that a process of its own can run the solver.
    """

    ok: bool
    version: str = ""
    reason: str = ""
    remedy: str = ""
    apart: bool = False


@dataclass(frozen=True, kw_only=True)
class TracePoint:
    """Progress as the solver itself saw it (its own gap, not the referee's), `seconds` since `run` began."""

    seconds: float
    iteration: int
    gap: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a solver returns: x[E] in the edge order of the instance, dual[R] in the sign above, or None where lacking.

    status is the solver's claim (never INACCURATE: that is the referee's word), raw_status its own words.
    ray: with status INFEASIBLE a proof of it, y[R] of the same sign on hard sides alone, for which the bound above with
    A'y in the place of q is > 0 (a feasible x would make it <= 0), or None where the solver has none. A proof about
    `lp.tightened`, which has the same feasible points.
    """

    x: Vector | None
    dual: Vector | None
    status: Status
    raw_status: str = ""
    iterations: int | None = None
    trace: Sequence[TracePoint] = ()
    ray: npt.NDArray[np.float64] | None = None


class Solver(abc.ABC):
    """One solver. Subclass, set the class variables, write the three verbs.

    id: the name used on the command line and in records. title: for a reader. citation: what to cite.
    devices: where it runs. exact: its answer does not depend on the tolerance, so one run serves all tolerances.
    bytes_per_edge: peak host memory beyond the instance, per edge of the short form; the harness adds a quarter of it
    for each further row of an edge, 64 bytes at most. Cases that cannot fit are skipped, not tried.
    streams: it can work from the disk, so an instance that lies in the store need not fit the memory.
    no_edges: it takes an instance without edges.
    polytopes: the kinds it takes, by name; EXPLICIT_KINDS for a solver of general LPs. There is no default, so that a
    new kind is claimed by nobody.
    rows: what of RowKind it takes beyond the short form of one '<=' family; EXPLICIT_ROWS for a solver of general LPs.
    upper_of_edges: it takes a u that differs from edge to edge of a source (`MatchingLP.edge_upper`).
    nonzeros_limit: the most nonzeros of the explicit form that its indices can count.
    warm_starts: the parts of a Start that `warm_start` uses, "x" and "dual"; without one it always starts cold.
    stays: it takes Settings.stay.
    Options: a frozen dataclass whose fields are the solver's own options with their defaults.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    exact: ClassVar[bool] = False
    bytes_per_edge: ClassVar[float]
    streams: ClassVar[bool] = False
    no_edges: ClassVar[bool] = True
    polytopes: ClassVar[frozenset[Kind]]
    rows: ClassVar[frozenset[RowKind]] = frozenset()
    upper_of_edges: ClassVar[bool] = False
    nonzeros_limit: ClassVar[int | None] = None
    warm_starts: ClassVar[tuple[str, ...]] = ()
    stays: ClassVar[bool] = False
    Options: ClassVar[type[Any]] = NoOptions

    @abc.abstractmethod
    def available(self) -> Availability:
        """Whether it can run here; cheap, never raises."""

    def unsuited(self, lp: MatchingLP) -> str:
        """Why it cannot take `lp`, by its rows, polytopes and size alone and before it is tried; "" where it can."""
        beyond = lp.row_kinds - self.rows
        if beyond:
            return f"{self.id} does not take {in_words(beyond)}, which the instance has"
        kind = lp.per_source.kind
        others = sorted(k.name for k in Kind if k not in self.polytopes and (kind == k).any())
        if others:
            return f"{self.id} does not take {', '.join(others)} sources"
        if lp.edge_upper is not None and not self.upper_of_edges:
            return f"{self.id} takes one upper bound a source, and the instance has one an edge"
        if lp.edges == 0 and not self.no_edges:
            return f"{self.id} takes no problem without variables, and the instance has no edges"
        if self.nonzeros_limit is not None and nonzeros(lp) > self.nonzeros_limit:
            return f"{nonzeros(lp):,} nonzeros: the indices of {self.id} count up to {self.nonzeros_limit:,}"
        return ""

    @abc.abstractmethod
    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        """Everything that depends on the instance but is not the solving; raises OptionError for bad options."""

    def warm_start(self, state: Any, start: Start) -> Any:
        """`state` of `prepare`, to begin from the parts of `start` that `warm_starts` names, one of which is there and
        each as long as the LP asks for; negative x, and duals outside their intervals, are brought in here.
        """
        raise NotImplementedError(f"{type(self).__name__} has no warm_start")

    @abc.abstractmethod
    def run(self, state: Any) -> Answer:
        """Solve, within the time and iteration limits of the settings."""


def installed(package: str, *, remedy: str, apart_from: str = "") -> Availability:
    """Available where the distribution `package` is installed; it is not imported.

    apart_from: a package with a shared library of the same name; one process can load either, never both.
    """
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        return Availability(ok=False, reason=f"{package} is not installed", remedy=remedy)

    if apart_from and apart_from in {name.partition(".")[0] for name in sys.modules}:
        reason = f"{apart_from} is loaded in this process, and its shared library shadows that of {package}"
        remedy = "solve in a process of its own, as dualbench run does"
        return Availability(ok=False, reason=reason, remedy=remedy, apart=True)
    return Availability(ok=True, version=version)
