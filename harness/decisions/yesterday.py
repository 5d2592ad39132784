"""Where a solve begins from an earlier output: its decisions and prices found again in today's tables by their keys.

Users and items come and go. A key that today's tables do not have is counted and left out; a row that is new begins at
price 0, and a source that had no decision at its best response to the prices. What cannot be read is said, and the
rest is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from harness.decisions.by_key import DamagedError, decided_edges, numbered_rows, read_columns
from harness.decisions.folder import DECISIONS, PRICES, SUMMARY, read_summary
from harness.decisions.outcome import Float64
from harness.decisions.solution import Solution
from harness.decisions.summary import SCHEMA
from harness.decisions.tables import X, in_users_sign
from harness.starts import start_hash
from harness.staying import Started, churn
from instances import InputError, MatchingLP
from instances.tables import Stated
from solvers import Start
from solvers.best_response import best_response
from solvers.engine.collectives import LOCAL, Communicator

Earlier = Path | str | Solution
T = TypeVar("T")
#: What no x or price of ours is: solvers refuse to begin from such numbers.
_LARGEST = 1e30


@dataclass(frozen=True, kw_only=True, eq=False)
class Yesterday:
    """An earlier output in the order of today's LP. E edges, I sources."""

    start: Start

    decided: npt.NDArray[np.bool_]
    """bool[I]: the sources that had a decision."""

    figures: dict[str, Any]
    """What summary.json says of it."""

    def told(self, lp: MatchingLP, x: Float64, near: Started) -> dict[str, Any]:
        """The figures with those of the decisions x[E]: the churn is that of the sources decided on both days."""
        moved = None
        if self.start.x is not None:
            both = np.repeat(self.decided, lp.degrees())
            moved = churn(x[both], self.start.x[both])
        return {**self.figures, "hash": near.hash, "churn": moved, "stay_gap": near.stay_gap}


@dataclass(frozen=True, kw_only=True, eq=False)
class BegunPart:
    """What a rank keeps of its start until all have decided, for the churn of all ranks."""

    figures: dict[str, Any]
    """Of all ranks."""

    hash: str
    """Over the starts of all ranks, in their order."""

    both: npt.NDArray[np.int64]
    """int64[n]: the edges of this rank whose sources were decided."""

    x: Float64
    """float64[n]: their start."""

    @classmethod
    def of(cls, yesterday: Yesterday, lp: MatchingLP, group: Communicator) -> BegunPart:
        """lp: the sources of this rank. Collective."""
        both = np.flatnonzero(np.repeat(yesterday.decided, lp.degrees()))
        x = np.zeros(0) if yesterday.start.x is None else yesterday.start.x[both]
        hashes = group.gather(start_hash(yesterday.start))
        joint = hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()
        return cls(figures=yesterday.figures, hash=joint, both=both, x=x)

    def told(self, x: Float64, group: Communicator) -> dict[str, Any]:
        """The figures with the churn; x: the decisions of this rank's edges. Collective."""
        decided = x[self.both]
        moved, total = group.sum(np.array([np.abs(decided - self.x).sum(), decided.sum()])).tolist()
        share = moved / (2 * total) if total > 0 else None
        return {**self.figures, "hash": self.hash, "churn": share, "stay_gap": None}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Decisions:
    x: Float64
    """float64[E], 0 where there was no decision."""
    found: int
    """Decisions whose keys an edge has."""
    all: int
    """Decisions of the output, found or not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundPrices:
    dual: Float64
    """float64[R], 0 where a row is new."""
    known: npt.NDArray[np.bool_]
    """bool[R]: the rows that had a price."""
    vanished: int
    """Rows with a price that the LP has no more."""

    @property
    def found(self) -> int:
        return int(np.count_nonzero(self.known))


def find_again(earlier: Earlier, stated: Stated, group: Communicator = LOCAL) -> Yesterday:
    """The start of today's solve. Raises InputError where nothing of `earlier` is of use, with the reason.

    group: the ranks, where `stated` is the problem of the sources of this one; the figures are those of all.
    """
    name = "the earlier solution" if isinstance(earlier, Solution) else str(earlier)
    summary = earlier_summary(earlier)
    own_notes: list[str] = []
    decisions = _tried(own_notes, lambda: _decisions(earlier, stated))
    prices = _tried(own_notes, lambda: find_prices(earlier, stated, summary.get("sense")))
    notes = list(dict.fromkeys(note for of_rank in group.gather(own_notes) for note in of_rank))

    # Ranks begin from the same parts: what one cannot read is of use to none.
    damaged = group.max(np.array([decisions is None, prices is None], dtype=np.int64))
    decisions = None if damaged[0] else decisions
    prices = None if damaged[1] else prices
    found = int(group.sum(np.array([0 if decisions is None else decisions.found]))[0])
    x = decisions.x if decisions is not None and found else None
    dual = prices.dual if prices is not None and prices.found else None
    if x is None and dual is None:
        why = "; ".join(notes) or "no key in it is one of these tables"
        raise InputError(f"{name} is no start for this problem ({why}): give the output of an earlier day, or none")

    lp = stated.lp
    decided = _decided(lp, x)
    if x is not None and dual is not None:
        x = best_response(lp, dual, x, ~decided)
    figures = {
        "folder": None if isinstance(earlier, Solution) else str(Path(earlier).absolute()),
        "time": summary.get("time"),
        "decisions": None if decisions is None else found,
        "decisions_vanished": None if decisions is None else decisions.all - found,
        "sources_new": int(group.sum(np.array([np.count_nonzero(~decided)]))[0]),
        "prices": None if prices is None else prices.found,
        "prices_vanished": None if prices is None else prices.vanished,
        "prices_new": None if prices is None else lp.row_count - prices.found,
        "notes": notes,
    }
    return Yesterday(start=Start(x=x, dual=dual), decided=decided, figures=figures)


def _decided(lp: MatchingLP, x: Float64 | None) -> npt.NDArray[np.bool_]:
    """bool[I]: the sources with some x[E] > 0."""
    if x is None or not lp.sources:
        return np.zeros(lp.sources, dtype=np.bool_)
    decided: npt.NDArray[np.bool_] = np.add.reduceat(np.append(x, 0.0), lp.offsets[:-1]) > 0
    return decided & (lp.degrees() > 0)  # reduceat says the next entry for a source without edges


def earlier_summary(earlier: Any) -> dict[str, Any]:
    """What an earlier output says of itself; InputError where it is none, or of another version."""
    if isinstance(earlier, Solution):
        return earlier.summary
    if not isinstance(earlier, (str, Path)):
        kind = type(earlier).__name__
        raise InputError(f"start is of type {kind}: give a Solution, or the folder that one was written into")
    folder = Path(earlier)
    found = read_summary(folder)
    if found is None:
        raise InputError(f"{folder} holds no output of `dualbench solve`: give the --out folder of an earlier day")
    if found.get("schema") != SCHEMA:
        version = f"schema {found.get('schema')!r}, this version reads {SCHEMA}"
        raise InputError(f"{folder} was written by another version ({version}): solve once without --start")
    return found


def _tried(notes: list[str], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except DamagedError as error:
        notes.append(str(error))
        return None


def _decisions(earlier: Earlier, stated: Stated) -> _Decisions:
    columns = (*stated.problem.key_columns, X)
    if isinstance(earlier, Solution):
        try:
            rows = earlier.decisions.select(list(columns))
        except KeyError as error:
            raise DamagedError(f"its decisions have no column {error}") from error
    else:
        rows = read_columns(Path(earlier) / DECISIONS, columns)
    edge, values = decided_edges(rows, stated, DECISIONS)
    if not (values < _LARGEST).all():
        raise DamagedError(f"{DECISIONS} has an x beyond {_LARGEST:g}")
    known = edge >= 0
    x = np.zeros(stated.lp.edges)
    x[edge[known]] = values[known]
    return _Decisions(x=x, found=int(np.count_nonzero(x)), all=int(np.count_nonzero(values > 0)))


def find_prices(earlier: Earlier, stated: Stated, sense: Any) -> FoundPrices:
    """The prices of `earlier`, of a problem of this sense, by the rows of `stated`; DamagedError where it has none."""
    rows = earlier.prices if isinstance(earlier, Solution) else read_columns(Path(earlier) / PRICES, _OF_PRICES)
    if sense not in _SENSES:
        raise DamagedError(f"{SUMMARY} does not say whether {PRICES} are of a problem to minimise or to maximise")
    if sense != _SENSES[stated.maximise]:
        raise DamagedError(f"{PRICES} are of a problem to {sense} the objective")
    if rows["price"].null_count:
        raise DamagedError(f"{PRICES} has no prices")
    given = rows["price"].to_numpy()
    if given.dtype.kind not in "fiu":
        raise DamagedError(f"{PRICES} has a price that is no number")
    values = given.astype(np.float64)
    if not (np.abs(values) < _LARGEST).all():
        raise DamagedError(f"{PRICES} has a price that is no number")

    number = numbered_rows(rows, stated)
    is_there = number >= 0
    if np.unique(number[is_there]).size != np.count_nonzero(is_there):
        raise DamagedError(f"{PRICES} has two rows of one limit")
    dual = np.zeros(stated.lp.row_count)
    known = np.zeros(stated.lp.row_count, dtype=np.bool_)
    dual[number[is_there]] = values[is_there]
    known[number[is_there]] = True
    return FoundPrices(dual=in_users_sign(stated, dual), known=known, vanished=int(np.count_nonzero(~is_there)))


_OF_PRICES = ("family", "key", "price")
_SENSES = ("minimise", "maximise")
