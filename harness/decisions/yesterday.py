"""Where a solve begins from an earlier output: its decisions and prices found again in today's tables by their keys.

Users and items come and go. A key that today's tables do not have is counted and left out; a row that is new begins at
price 0, and a source that had no decision at its best response to the prices. What cannot be read is said, and the
rest is used.
"""

from __future__ import annotations

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
from harness.staying import Started, churn
from instances import InputError, MatchingLP
from instances.tables import Stated
from solvers import Start
from solvers.best_response import best_response

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
class _Decisions:
    x: Float64
    """float64[E], 0 where there was no decision."""
    vanished: int
    """Decisions whose keys no edge has."""


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


def find_again(earlier: Earlier, stated: Stated) -> Yesterday:
    """The start of today's solve. Raises InputError where nothing of `earlier` is of use, with the reason."""
    name = "the earlier solution" if isinstance(earlier, Solution) else str(earlier)
    summary = earlier_summary(earlier)
    notes: list[str] = []
    decisions = _tried(notes, lambda: _decisions(earlier, stated))
    prices = _tried(notes, lambda: find_prices(earlier, stated, summary.get("sense")))
    x = decisions.x if decisions is not None and decisions.x.any() else None
    dual = prices.dual if prices is not None and prices.found else None
    if x is None and dual is None:
        why = "; ".join(notes) or "no key in it is one of these tables"
        raise InputError(f"{name} is no start for this problem ({why}): give the output of an earlier day, or none")

    lp = stated.lp
    decided = np.zeros(lp.sources, dtype=np.bool_)
    if x is not None:
        decided = np.add.reduceat(np.append(x, 0.0), lp.offsets[:-1]) > 0 if lp.sources else decided
        decided &= lp.degrees() > 0  # reduceat says the next entry for a source without edges
        if dual is not None:
            x = best_response(lp, dual, x, ~decided)
    figures = {
        "folder": None if isinstance(earlier, Solution) else str(Path(earlier).absolute()),
        "time": summary.get("time"),
        "decisions": None if decisions is None else int(np.count_nonzero(decisions.x)),
        "decisions_vanished": None if decisions is None else decisions.vanished,
        "sources_new": int(np.count_nonzero(~decided)),
        "prices": None if prices is None else prices.found,
        "prices_vanished": None if prices is None else prices.vanished,
        "prices_new": None if prices is None else lp.row_count - prices.found,
        "notes": notes,
    }
    return Yesterday(start=Start(x=x, dual=dual), decided=decided, figures=figures)


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
    return _Decisions(x=x, vanished=int(np.count_nonzero(~known & (values > 0))))


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
