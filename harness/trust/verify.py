"""`dualbench verify`: derive every dual bound again, from nothing but the spec and the stored dual.

For each case: the instance is generated from `spec`, the dual is read from beside the records, and the referee's bound
for it is compared with the recorded one. Nothing else that the record says is believed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import records
from harness.referee import certify
from harness.whole import whole_instance
from instances import InputError, MatchingLP, digest, parse_spec

#: Two bounds agree within this, relative to 1 + |bound|: they differ only by the order of summation.
TOLERANCE = 1e-9


class Outcome(enum.StrEnum):
    AGREES = "agrees"
    DIFFERS = "differs"
    MISSING = "missing"  # the record has a bound, its dual is not there or cannot be read
    NOTHING = "nothing"  # the case recorded no bound
    NOT_TRIED = "not tried"  # the instance does not fit in memory, or the line of the records is no row


@dataclass(frozen=True, kw_only=True)
class Verified:
    """One case; `detail` is a line for anything but an agreement."""

    case: str
    outcome: Outcome
    recorded: float | None = None
    derived: float | None = None
    detail: str = ""


def verify(path: Path, *, threads: int = 1) -> Iterator[Verified]:
    """Every case of the records at `path` (a folder or a records file), in the order of their instances."""
    folder = path if path.is_dir() else path.parent
    made: tuple[str, MatchingLP | None] = ("", None)
    file = records.read(path)
    for line in file.warnings:
        yield Verified(case="", outcome=Outcome.NOT_TRIED, detail=line)
    for row in sorted(file.cases, key=lambda row: str(row.get("spec"))):
        found = _without_instance(row, folder)
        if isinstance(found, Verified):
            yield found
            continue
        dual, recorded = found
        try:
            if made[0] != row["spec"] or made[1] is None:
                made = ("", None)  # let go of the last instance before the next is made
                made = (row["spec"], _instance(row))
            yield _compare(row, made[1], dual, recorded, threads)
        except InputError as error:
            yield Verified(case=row["case"], outcome=Outcome.DIFFERS, recorded=recorded, detail=str(error))
        except MemoryError as error:
            yield Verified(case=row["case"], outcome=Outcome.NOT_TRIED, recorded=recorded, detail=str(error))


def _without_instance(row: Mapping[str, Any], folder: Path) -> Verified | tuple[npt.NDArray[np.float64], float]:
    """The dual and the recorded bound, or what there is to say without making the instance."""
    case = str(row.get("case"))
    recorded = (row.get("certificate") or {}).get("dual_bound")
    if recorded is None:
        return Verified(case=case, outcome=Outcome.NOTHING, detail=f"no bound recorded ({row.get('status')})")
    try:
        return _read_dual(folder, row.get("dual_file")), float(recorded)
    except InputError as error:
        return Verified(case=case, outcome=Outcome.MISSING, recorded=recorded, detail=str(error))


def _read_dual(folder: Path, name: Any) -> npt.NDArray[np.float64]:
    """The array in `name`, a path inside `folder`; never unpickles."""
    if not isinstance(name, str) or not name:
        raise InputError("the record names no dual_file")
    try:
        path = (folder / name).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a name too long, links in a circle
        raise InputError(f"dual_file {name!r} is no path: {error}") from error
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"dual_file {name!r} leaves the folder of the records: refused")
    try:
        dual = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"dual file {name} is not there: keep the folder duals beside the records") from None
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise InputError(f"dual file {name} cannot be read: {error}") from error
    if not isinstance(dual, np.ndarray):
        raise InputError(f"dual file {name} holds several arrays, expected one")
    return dual


def _instance(row: Mapping[str, Any]) -> MatchingLP:
    spec = parse_spec(row["spec"])
    if digest(spec) != row["spec_hash"]:
        raise InputError(
            f"spec_hash {row['spec_hash']} is not that of {spec.text}: the data or a generator has changed"
        )
    return whole_instance(spec)


def _compare(
    row: Mapping[str, Any], lp: MatchingLP | None, dual: npt.NDArray[Any], recorded: float, threads: int
) -> Verified:
    assert lp is not None
    derived = certify(lp, None, dual, threads=threads).dual_bound
    if derived is None:
        return Verified(
            case=row["case"], outcome=Outcome.DIFFERS, recorded=recorded, detail="the stored dual gives no bound"
        )
    agrees = abs(derived - recorded) <= TOLERANCE * (1 + abs(recorded))
    return Verified(
        case=row["case"],
        outcome=Outcome.AGREES if agrees else Outcome.DIFFERS,
        recorded=recorded,
        derived=derived,
        detail="" if agrees else f"recorded {recorded!r}, derived {derived!r}",
    )
