"""A pytest-benchmark export: the case row is extra_info["record"], the environment machine_info["dualbench"]."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.rows import fault
from harness.shapes import finite
from instances.errors import InputError


def read_benchmarks(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Environments, cases (one a round, with its seconds as the run time) and lines for the reader.

    Raises InputError for a file that is not a whole export.
    """
    try:
        export = json.loads(path.read_bytes())
        benchmarks = export["benchmarks"]
        machine = export.get("machine_info") or {}
        environment = machine.get("dualbench")
        extras = [dict(benchmark.get("extra_info") or {}) for benchmark in benchmarks]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(
            f"{path} is not a complete pytest-benchmark file (a killed session leaves an empty one): "
            "give the records.jsonl of that session"
        ) from None

    foreign = sum("record" not in extra for extra in extras)
    warnings = [f"{path}: {foreign} benchmarks carry no case and were left out"] if foreign else []

    cases = []
    for case in (case for benchmark in benchmarks for case in _rounds(benchmark)):
        wrong = fault(case) or ("" if finite(case) else "it holds a number that no float can hold")
        if wrong:
            warnings.append(f"{path}: a case was left out: {wrong}")
        else:
            cases.append(case)

    if isinstance(environment, dict) and not fault({"kind": "environment", **environment}) and finite(environment):
        return [environment], cases, warnings
    return [], cases, warnings


def _rounds(benchmark: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The case once for every round, with the round's seconds as its run time."""
    record = (benchmark.get("extra_info") or {}).get("record")
    if not isinstance(record, Mapping):
        return []

    stats = benchmark.get("stats")
    stats = stats if isinstance(stats, dict) else {}
    rounds = stats.get("data") or [stats.get("median")]
    rounds = rounds if isinstance(rounds, list) else [None]

    recorded = record.get("seconds")
    repeat = record.get("repeat")
    seconds = recorded if isinstance(recorded, dict) else {}
    first = repeat if type(repeat) is int else 0
    return [
        {
            **record,
            "kind": "case",
            "repeat": first + k,
            "seconds": {**seconds, "run": seconds.get("run") if run is None else run},
        }
        for k, run in enumerate(rounds)
    ]
