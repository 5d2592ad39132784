"""`dualbench verify`: derive what records say again, from nothing but the spec, the stored dual and the stored x.

For each case, each run over ranks and each solve of a series of days: the instance is made from `spec`, the dual is
read from beside the records, and the referee's bound for it is compared with the recorded one; where x was kept (`run
--keep-x`), the whole certificate is. What cannot be derived is checked by arithmetic (harness/trust/arithmetic.py):
gap, status and times must agree with each other. Of whole decisions, and of serving from a sample, every figure but the
seconds is derived. Nothing that a row says is believed because it stands there.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy.typing as npt

from harness import records
from harness.arrays import array_hash
from harness.integral import measure as whole_rows
from harness.plain import as_plain
from harness.referee import certify
from harness.serving import sample as serving_rows
from harness.trust.arithmetic import contradictions
from harness.trust.stored import read_array
from harness.whole import whole_instance
from instances import InputError, MatchingLP, Spec, content_hash, digest, parse_spec

#: Two numbers agree within this, relative to 1 + |number|: they differ only by the order of summation.
TOLERANCE = 1e-9
_OF_THE_DUAL = ("dual_bound", "dual_residual")
_BOUND = "bound derived; objective, gap, status by arithmetic"
_ALL = "bound and feasible objective derived"
_EVERY = "every figure derived, but seconds"
_OWN = "bound derived; gap and status are the solver's own (runs over ranks before schema 2)"


class Outcome(enum.StrEnum):
    AGREES = "agrees"  # at least the bound was derived, and nothing speaks against the row
    DIFFERS = "differs"
    MISSING = "missing"  # the record has a bound, its dual or x is not there or cannot be read
    ARITHMETIC = "arithmetic"  # a file without duals: nothing could be derived, the row agrees with itself
    NOTHING = "nothing"  # the case recorded no bound
    NOT_TRIED = "not tried"  # the instance does not fit in memory, or the line of the records is no row


@dataclass(frozen=True, kw_only=True)
class Verified:
    """One row that was looked at."""

    case: str
    """Its name."""

    outcome: Outcome
    """What was found."""

    recorded: float | None = None
    """The bound that it records."""

    derived: float | None = None
    """The bound that was derived again."""

    detail: str = ""
    """What was derived, or what is wrong."""


def verify(path: Path, *, threads: int = 1) -> Iterator[Verified]:
    """Every row of the records at `path` (what `report` reads), in the order of their instances."""
    file = records.read(path)
    for line in file.warnings:
        yield Verified(case="", outcome=Outcome.NOT_TRIED, detail=line)
    rows = file.judged
    verifier = _Verifier(path, threads, _places(rows))
    for row in sorted(rows, key=lambda row: str(row.get("spec"))):
        yield verifier.verified(row)


def _places(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The specs of each content, by spec_hash: data that are gone from one place may lie in another."""
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(str(row.get("spec_hash")), []).append(row["spec"])
    return {name: list(dict.fromkeys(specs)) for name, specs in places.items()}


class _Verifier:
    """Holds the instance of the last row, since rows come in the order of their instances."""

    def __init__(self, path: Path, threads: int, places: Mapping[str, Sequence[str]]) -> None:
        self._places = places
        self._folder = path if path.is_dir() else path.parent
        self._without_duals = path.suffix == ".json"
        self._threads = threads
        self._made: tuple[str, MatchingLP | None] = ("", None)

    def verified(self, row: Mapping[str, Any]) -> Verified:
        measured = _MEASURED.get(str(row.get("kind")))
        return self._case(row) if measured is None else self._measured(row, measured)

    def _measured(self, row: Mapping[str, Any], measured: _Measured) -> Verified:
        """A row of which every figure but the seconds is derived."""
        recorded = row["certificate"].get("dual_bound")

        def found(outcome: Outcome, detail: str, derived: float | None = None) -> Verified:
            return Verified(case=row["case"], outcome=outcome, recorded=recorded, derived=derived, detail=detail)

        try:
            arrays = {field: read_array(self._folder, row.get(field), field) for field in measured.files}
        except InputError as error:
            return found(Outcome.MISSING, str(error))
        try:
            lp = self._instance(row)
            certificate, figures = measured.derive(row, lp, arrays, self._threads)
        except (InputError, ArithmeticError) as error:
            return found(Outcome.DIFFERS, str(error))
        except MemoryError as error:
            return found(Outcome.NOT_TRIED, str(error))
        wrong = [
            *_other_instance(row, lp),
            *_unlike(row["certificate"], certificate),
            *_unlike(row, as_plain(figures)),
        ]
        return found(
            Outcome.DIFFERS if wrong else Outcome.AGREES, "; ".join(wrong) or _EVERY, certificate["dual_bound"]
        )

    def _case(self, row: Mapping[str, Any]) -> Verified:
        recorded = (row.get("certificate") or {}).get("dual_bound")
        wrong = contradictions(row)

        def found(outcome: Outcome, detail: str, derived: float | None = None) -> Verified:
            outcome = Outcome.DIFFERS if wrong else outcome
            detail = "; ".join([*wrong, *([detail] if detail not in wrong else [])])
            return Verified(case=_name(row), outcome=outcome, recorded=recorded, derived=derived, detail=detail)

        if recorded is None:
            return found(Outcome.NOTHING, f"no bound recorded ({row.get('status')})")
        if self._without_duals:
            return found(Outcome.ARITHMETIC, "nothing derived: this file keeps no duals")
        try:
            dual = read_array(self._folder, row.get("dual_file"), "dual_file")
            x = read_array(self._folder, row["x_file"], "x_file") if row.get("x_file") else None
        except InputError as error:
            return found(Outcome.MISSING, str(error))
        try:
            lp = self._instance(row)
            derived = asdict(certify(lp, x, dual, threads=self._threads))
        except (InputError, ArithmeticError) as error:
            return found(Outcome.DIFFERS, str(error))
        except MemoryError as error:
            return found(Outcome.NOT_TRIED, str(error))
        wrong += [*_other_instance(row, lp), *_other_figures(row, derived, x)]
        own = "certified_gap" not in row["certificate"]
        return found(Outcome.AGREES, _OWN if own else _BOUND if x is None else _ALL, derived["dual_bound"])

    def _instance(self, row: Mapping[str, Any]) -> MatchingLP:
        spec = self._spec(row)
        key, lp = self._made
        if lp is None or key != spec.text:
            self._made = ("", None)  # free the last instance before the next is made
            lp = whole_instance(spec, threads=self._threads)
            self._made = (spec.text, lp)
        return lp

    def _spec(self, row: Mapping[str, Any]) -> Spec:
        """The spec of the row; where its data are not there any more, another one of the same content."""
        named = row.get("spec_hash")
        for text in (row["spec"], *self._places.get(str(named), ())):
            try:
                spec = parse_spec(text)
            except InputError as error:
                absent = error
                continue
            if named is not None and digest(spec) != named:
                raise InputError(f"spec_hash {named} is not that of {text}: the data or a generator has changed")
            return spec
        raise absent


def _name(row: Mapping[str, Any]) -> str:
    if row.get("kind") == "scaling":
        return f"{row.get('spec')}|{row.get('solver')}|{row.get('ranks')} ranks"
    return str(row.get("case"))


def _other_instance(row: Mapping[str, Any], lp: MatchingLP) -> Iterator[str]:
    recorded = row.get("content_hash")
    if recorded is not None and recorded != content_hash(lp):
        yield f"content_hash {recorded[:12]} is not that of {row['spec']}: other data were judged"
    for name in ("sources", "destinations", "edges"):
        if row.get(name) is not None and row[name] != getattr(lp, name):
            yield f"{name} is {row[name]}, the instance has {getattr(lp, name)}"


def _other_figures(row: Mapping[str, Any], derived: Mapping[str, Any], x: npt.NDArray[Any] | None) -> Iterator[str]:
    """Figures of the certificate that the stored dual, and x where it was kept, do not give."""
    certificate = row["certificate"]
    if x is not None and array_hash(x) != row.get("x_hash"):
        yield "x_hash is not that of the stored x"
    if derived["dual_bound"] is None:
        yield f"the stored dual gives no bound ({derived['reason']})"
        return

    older = row.get("schema") == 1
    names = [name for name in (derived if x is not None else _OF_THE_DUAL) if name != "reason" and name in certificate]
    for name in names:
        recorded = certificate[name]
        again = derived[name]
        if older and name == "dual_bound" and again >= recorded - TOLERANCE * (1 + abs(recorded)):
            continue  # the referee of today proves the same or more
        if not _agree(recorded, again):
            yield f"{name}: recorded {recorded!r}, derived {again!r}"


class _Measured(NamedTuple):
    """How rows of a kind are derived again."""

    files: tuple[str, ...]
    """Fields that name the arrays."""

    derive: Callable[..., tuple[dict[str, Any], dict[str, Any]]]
    """Figures of the certificate and of the row, from row, instance, arrays and threads."""


_MEASURED = {
    "whole": _Measured(whole_rows.FILES, whole_rows.derived_whole),
    "serving": _Measured(serving_rows.FILES, serving_rows.derived_serving),
}


def _unlike(recorded: Mapping[str, Any], derived: Mapping[str, Any]) -> Iterator[str]:
    """Entries of `derived` that are recorded otherwise."""
    for name, again in derived.items():
        known = recorded.get(name)
        numbers = all(isinstance(value, (int, float)) for value in (known, again))
        if not (_agree(known, again) if numbers else known == again):
            yield f"{name}: recorded {known!r}, derived {again!r}"


def _agree(recorded: float | None, derived: float | None) -> bool:
    if recorded is None or derived is None:
        return recorded is derived
    return abs(derived - recorded) <= TOLERANCE * (1 + abs(recorded))
