"""`dualbench verify` on a folder of decisions: derive it again from the tables, the decisions and the prices.

The tables are read again where summary.json says the problem lies, and must make an LP of the recorded content. Each
row of decisions.parquet is looked up by its keys; x and the prices then give every figure of the certificate, the loads
and what binds. Only what the solver claimed, and how long it took, cannot be derived.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.certificate import Certificate
from harness.decisions.by_key import DamagedError, decided_edges, read_columns
from harness.decisions.folder import DECISIONS, PRICES, SUMMARY, WORDS, read_summary
from harness.decisions.outcome import Float64
from harness.decisions.summary import derived
from harness.decisions.tables import X, in_users_sign, prices_table
from harness.decisions.whole import derived_whole
from harness.decisions.words import in_words
from harness.plain import as_plain
from harness.referee import certify
from harness.trust.verify import TOLERANCE, Outcome, Verified
from instances import InputError, content_hash
from instances.tables import Problem, Stated
from solvers import Status


def holds_decisions(path: Path) -> bool:
    """Whether `path` is a folder that `dualbench solve` wrote."""
    return path.is_dir() and read_summary(path) is not None


def verify_decisions(folder: Path, *, threads: int = 1) -> Iterator[Verified]:
    """What was derived again, topic by topic; nothing more after what everything else rests on."""
    summary = read_summary(folder)
    assert summary is not None
    try:
        stated = Problem.read(summary["problem"]).build(threads=threads)
    except (InputError, TypeError) as error:
        gone = "the tables were in memory alone" if summary.get("problem") is None else str(error)
        yield Verified(case="tables", outcome=Outcome.MISSING, detail=gone)
        return
    if content_hash(stated.lp) != summary.get("content_hash"):
        detail = f"the tables of {summary['problem']} make another LP than the one that was solved"
        yield Verified(case="tables", outcome=Outcome.DIFFERS, detail=detail)
        return
    yield Verified(case="tables", outcome=Outcome.AGREES, detail=f"{stated.lp.edges:,} edges, the content recorded")

    try:
        x = read_decisions(folder, stated)
        prices = read_columns(
            folder / PRICES, ("family", "key", "price", "load", "lower", "upper", "slack", "violation")
        )
        dual = _dual(prices, stated)
    except DamagedError as error:
        yield Verified(case="files", outcome=Outcome.DIFFERS, detail=str(error))
        return
    yield _found("decisions", iter(()), f"{np.count_nonzero(x):,} edges with x > 0, each found by its keys")

    again = prices_table(stated, x, dual)
    yield _found("prices", _other_rows(prices, again), f"keys, limits and loads of {prices.num_rows:,} rows")
    certificate = certify(stated.lp, x, dual, threads=threads)
    figures = derived(stated, x, certificate, again)
    yield _found("certificate", _figures(summary, figures), "bound, objective, gap and what binds")
    if summary.get("whole") is not None:
        whole = {"whole": derived_whole(stated, x, certificate, summary["whole"])}
        yield _found("whole", _figures(summary, whole), "whole numbers, limits kept, gap, and who got nothing and why")
    yield _found(
        "status", _status(summary, certificate), f"{summary.get('status')}, to which the gap is no contradiction"
    )
    yield _found("words", _words(folder, summary), WORDS)


def read_decisions(folder: Path, stated: Stated) -> Float64:
    """x[E] from decisions.parquet, 0 where an edge has no row there.

    Raises DamagedError for a key that the tables do not have, one that stands twice, and x that is no number from 0.
    """
    rows = read_columns(folder / DECISIONS, (*stated.problem.key_columns, X))
    edge, values = decided_edges(rows, stated, DECISIONS)
    unknown = np.count_nonzero(edge < 0)
    if unknown:
        raise DamagedError(f"{DECISIONS} has {unknown:,} rows whose keys no edge has")
    x = np.zeros(stated.lp.edges)
    x[edge] = values
    return x


def _dual(prices: Any, stated: Stated) -> Float64 | None:
    """y[R] from the prices; None where there are none."""
    if prices.num_rows != stated.lp.row_count:
        raise DamagedError(f"{PRICES} has {prices.num_rows:,} rows, the LP has {stated.lp.row_count:,}")
    if prices["price"].null_count == prices.num_rows:
        return None
    values = prices["price"].to_numpy().astype(np.float64)
    if not np.isfinite(values).all():
        raise DamagedError(f"{PRICES} has a price that is no number")
    return in_users_sign(stated, values)


def _other_rows(recorded: Any, again: Any) -> Iterator[str]:
    """Columns of prices.parquet that the tables, x and the prices do not give."""
    for name in ("family", "key"):
        if recorded[name].to_pylist() != again[name].to_pylist():
            yield f"{name}: not that of the tables"
    for name in ("load", "lower", "upper", "slack", "violation"):
        one, other = (table[name].to_numpy() for table in (recorded, again))
        apart = ~(np.isclose(one, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
        if apart.any():
            row = int(np.argmax(apart))
            yield f"{name} of row {row}: recorded {one[row]!r}, derived {other[row]!r}"


def _figures(summary: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    """Entries of summary.json that decisions and prices do not give."""
    for name, value in again.items():
        yield from _differences(name, summary.get(name), as_plain(value))


def _differences(name: str, recorded: Any, again: Any) -> Iterator[str]:
    """Entry by entry; numbers within what the order of a summation changes."""
    if isinstance(again, dict) and isinstance(recorded, dict) and recorded.keys() == again.keys():
        for key, value in again.items():
            yield from _differences(f"{name} {key}", recorded[key], value)
    elif isinstance(again, list) and isinstance(recorded, list) and len(recorded) == len(again):
        for number, value in enumerate(again):
            yield from _differences(f"{name} {number}", recorded[number], value)
    elif isinstance(again, float) and isinstance(recorded, (int, float)):
        if not math.isclose(recorded, again, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{name}: recorded {recorded!r}, derived {again!r}"
    elif recorded != again:
        yield f"{name}: recorded {recorded!r}, derived {again!r}"


def _status(summary: Mapping[str, Any], certificate: Certificate) -> Iterator[str]:
    """What speaks against the recorded status: "solved" needs the gap, and every status its own sentence."""
    try:
        status = Status(summary["status"])
        tolerance = float(summary["solver"]["settings"]["tolerance"])
    except (KeyError, TypeError, ValueError) as error:
        yield f"no status and tolerance are recorded ({error})"
        return
    reached = certificate.accuracy
    if summary["solver"]["settings"].get("stay"):  # the claim is about staying, whose gap needs the earlier output
        reached = (summary.get("start") or {}).get("stay_gap")
    elif summary.get("whole"):  # the claim is about the fractional decisions, which are not kept
        reached = summary["whole"].get("bound_gap")
    if status is Status.SOLVED and not (reached is not None and reached <= tolerance):
        yield f"solved to {tolerance:g} is recorded, the gap is {reached}"
    if summary.get("meaning") != status.sentence:
        yield f"{status} does not mean what is recorded"


def _words(folder: Path, summary: Mapping[str, Any]) -> Iterator[str]:
    try:
        if (folder / WORDS).read_text(encoding="utf-8") != in_words(summary):
            yield f"{WORDS} does not say what {SUMMARY} says"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{WORDS} cannot be compared ({error})"


def _found(topic: str, wrong: Iterator[str], derived_again: str) -> Verified:
    lines = [*wrong]
    outcome = Outcome.DIFFERS if lines else Outcome.AGREES
    return Verified(case=topic, outcome=outcome, detail="; ".join(lines) or derived_again)
