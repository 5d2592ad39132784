"""summary.json: what came of a problem in plain types, with all that is needed to derive it again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from harness.certificate import Certificate
from harness.decisions.outcome import Float64, Outcome
from harness.environment import environment
from harness.plain import as_plain
from harness.recording import utc_now
from instances import MatchingLP, content_hash
from instances.tables import Stated

FORMAT = "dualbench decisions"
SCHEMA = 1
#: A load outside its limit by no more than this share of it is rounding.
_ROUNDING = 1e-9
#: Rows that are shown of those that bind.
_MOST_BINDING = 10
_SETTINGS = ("tolerance", "time_limit", "threads", "device", "dtype", "seed", "stay", "options")
_ENVIRONMENT = ("python", "platform", "cpu", "cores", "memory_bytes", "gpu", "packages", "commit")


def summary_of(outcome: Outcome, prices: Any) -> dict[str, Any]:
    """OUTPUTS.md defines the entries. prices: the table of `prices_table`."""
    solver = outcome.choice.solver
    facts = environment()
    found = {
        "format": FORMAT,
        "schema": SCHEMA,
        "time": utc_now(),
        "status": outcome.status,
        "meaning": outcome.status.sentence,
        "reason": outcome.reason,
        **derived(outcome.stated, outcome.x, outcome.certificate, prices),
        "start": outcome.start,
        "whole": None if outcome.whole is None else asdict(outcome.whole),
        "problem": _place(outcome.stated),
        "solver": {
            "id": solver.id,
            "version": solver.available().version,
            "why": outcome.choice.why,
            "iterations": outcome.iterations,
            "settings": {name: getattr(outcome.settings, name) for name in _SETTINGS} | _effort(outcome),
        },
        "seconds": outcome.seconds,
        "environment": {name: facts.get(name) for name in _ENVIRONMENT},
    }
    plain: dict[str, Any] = as_plain(found)
    return plain


def _effort(outcome: Outcome) -> dict[str, float]:
    return {} if outcome.effort is None else {"effort": outcome.effort}


def derived(stated: Stated, x: Float64, certificate: Certificate, prices: Any) -> dict[str, Any]:
    """The entries that follow from tables, decisions x[E] and prices: `dualbench verify` derives them again."""
    lp = stated.lp
    return {
        "sense": "maximise" if stated.maximise else "minimise",
        "objective": _in_users_sense(stated, certificate.objective),
        "bound": _in_users_sense(stated, certificate.dual_bound),
        "certificate": asdict(certificate),
        "binding": _binding(prices),
        "missed": _missed(stated, prices),
        "notes": list(stated.notes),
        "decisions": _counts(lp, x),
        "rows": {family.name: family.rows for family in lp.rows},
        "content_hash": content_hash(lp),
    }


def _place(stated: Stated) -> str | None:
    """The absolute path of problem.toml; None where the tables were in memory."""
    path = stated.problem.path
    return None if path is None else str(path.absolute())


def _counts(lp: MatchingLP, x: Float64) -> dict[str, Any]:
    before = np.concatenate(([0], np.cumsum(x > 0)))[lp.offsets]
    return {
        "edges": lp.edges,
        "edges_used": int(before[-1]),
        "sources": lp.sources,
        "sources_used": int(np.count_nonzero(np.diff(before))),
        "total": float(x.sum()),
    }


def _binding(prices: Any) -> list[dict[str, Any]]:
    """The rows with the largest |price * load|, the largest first."""
    if prices["price"].null_count:
        return []
    worth = np.abs(prices["price"].to_numpy() * prices["load"].to_numpy())
    largest = np.argsort(-worth, kind="stable")[:_MOST_BINDING]
    rows = prices.take(largest[worth[largest] > 0]).to_pylist()
    return [{**row, "key": None if row["key"] is None else str(row["key"])} for row in rows]


def _missed(stated: Stated, prices: Any) -> list[dict[str, Any]]:
    """Of each family with rows outside their limits by more than rounding: how many, and by how much together."""
    outside = stated.lp.split(prices["violation"].to_numpy())
    sizes = stated.lp.split(np.abs(prices["load"].to_numpy()))
    found = []
    for family in stated.lp.rows:
        violation = outside[family.name]
        size = np.maximum(sizes[family.name], violation)  # a row that is missed altogether has no load
        left = violation > _ROUNDING * (1 + size)
        if left.any():
            missed = {"rows": int(left.sum()), "of": family.rows, "units": float(violation[left].sum())}
            found.append({"family": family.name, **missed})
    return found


def _in_users_sense(stated: Stated, cost: float | None) -> float | None:
    """A cost of the LP as an objective of the user; 0, never -0."""
    if cost is None:
        return None
    return 0.0 - cost if stated.maximise else cost
