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
import dataclasses
import math
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, RowKind
from instances.errors import InputError
from instances.row_kinds import in_words
from instances.words import Explained
from solvers.general import nonzeros
from solvers.start import Start

Vector = npt.NDArray[np.float32] | npt.NDArray[np.float64]
OptionsT = TypeVar("OptionsT")
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
#: Types of options that a suite file can hold.
_PLAIN = {int, float, str, bool, type(None)}


class OptionError(InputError):
    """A setting or an option that the solver does not know or cannot use."""


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


def check_fields(record: object, checks: Sequence[tuple[str, bool, str]]) -> None:
    """OptionError for the first field that is not as expected; checks: (field, whether it is, what is expected)."""
    for name, ok, expected in checks:
        if not ok:
            raise OptionError(f"{name}={getattr(record, name)!r}: expected {expected}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Whether it is a number that float64 can hold; infinities are, True is not."""
    if isinstance(value, int):
        return _is_whole(value) and abs(value) <= sys.float_info.max
    return isinstance(value, float | np.integer | np.floating)


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
class Settings:
    """What every solver is asked for in the same words.

    tolerance: the certified gap wanted; each adapter's docstring says what it hands to its solver for it.
    time_limit: seconds of `run`, None without limit. threads: CPU threads, the same for all solvers of a suite.
    device: "cpu" or "cuda". dtype: "float32" or "float64", for the solvers that can choose.
    stay: RHO; above 0 the problem is to minimise c'x + (RHO / 2) ||x - x_start||^2, to the tolerance.
    options: the solver's own options by name, checked by `Solver.options`.
    """

    tolerance: float = 1e-4
    time_limit: float | None = None
    iteration_limit: int | None = None
    threads: int = 1
    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
    stay: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seconds, iterations = self.time_limit, self.iteration_limit
        checks = (
            ("tolerance", _is_number(self.tolerance) and 0 < self.tolerance < 1, "a number between 0 and 1"),
            ("time_limit", seconds is None or (_is_number(seconds) and seconds > 0), "seconds > 0"),
            ("iteration_limit", iterations is None or (_is_whole(iterations) and iterations > 0), "a whole number > 0"),
            ("threads", _is_whole(self.threads) and self.threads >= 1, "a whole number >= 1"),
            ("device", str(self.device).partition(":")[0] in ("cpu", "cuda"), "cpu or cuda"),
            ("dtype", self.dtype in ("float32", "float64"), "float32 or float64"),
            ("seed", _is_whole(self.seed) and self.seed >= 0, "a whole number >= 0"),
            ("stay", _is_number(self.stay) and 0 <= self.stay < math.inf, "a finite number >= 0"),
            ("options", isinstance(self.options, Mapping), "a dict of the options by name"),
        )
        check_fields(self, checks)

    def limits(self, *, time: str, iterations: str) -> dict[str, float]:
        """The limits that are set, under a solver's own names for them: seconds, and a whole number."""
        given = {time: self.time_limit, iterations: self.iteration_limit}
        return {name: limit for name, limit in given.items() if limit is not None}


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


@dataclass(frozen=True)
class NoOptions:
    """A solver without options of its own."""


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


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option as plain data. types: names of the plain types it takes, none where it takes anything."""

    name: str
    types: tuple[str, ...] = ()
    default: Any = None


def declared_options(options: type[Any]) -> tuple[Option, ...]:
    """The fields of the dataclass `options`."""
    hints = get_type_hints(options)
    return tuple(
        Option(name=f.name, types=_plain_types(hints.get(f.name)), default=f.default)
        for f in dataclasses.fields(options)
    )


def check_options(known: Sequence[Option], values: Mapping[str, Any]) -> None:
    """OptionError for a name that is not `known` and for a value of another type."""
    by_name = {option.name: option for option in known}
    for name, value in values.items():
        if name not in by_name:
            listed = ", ".join(f"{option.name}={option.default!r}" for option in known) or "none"
            raise OptionError(f"unknown option {name!r}: known options and defaults are {listed}")
        types = by_name[name].types
        given = type(value).__name__
        whole_for_float = given == "int" and "float" in types and _is_number(value)
        if types and given not in types and not whole_for_float:
            raise OptionError(f"option {name}={value!r}: expected {' or '.join(types)}")


def parse_options(options: type[OptionsT], settings: Settings) -> OptionsT:
    """`settings.options` as the dataclass `options`; an unknown name or a wrong type is an OptionError."""
    check_options(declared_options(options), settings.options)
    return options(**settings.options)


def _plain_types(hint: Any) -> tuple[str, ...]:
    """Names of the plain types in a hint such as `int` or `str | None`; none where another type is among them."""
    members = get_args(hint) if isinstance(hint, types.UnionType) or get_origin(hint) is Union else (hint,)
    return tuple(member.__name__ for member in members) if set(members) <= _PLAIN else ()
