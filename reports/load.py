"""Records files and pytest-benchmark exports as one table of cases: one row a case, plain columns.

This is the border of the reports: from here on every text is one printable line, and no number too large for an axis.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import records
from reports.identity import identify

TEXTS = (
    *("case", "suite", "instance", "spec", "spec_hash", "content_hash", "family", "solver", "solver_version"),
    *("status", "raw_status", "reason", "environment", "time", "disturbed"),
)
NUMBERS = ("sources", "destinations", "edges", "cells", "repeat", "iterations")
#: Numbers within a mapping of the record: column -> (mapping, key).
NESTED = {
    **{name: ("settings", name) for name in ("tolerance", "time_limit", "iteration_limit", "threads")},
    **{name: ("seconds", name) for name in ("isolation", "warm_up", "generate", "prepare", "run", "referee")},
    **{name: ("disturbance", name) for name in ("other_load", "steal", "swapped", "throttled", "clock")},
    **{f"{name}_memory": ("peak_memory", name) for name in ("host", "device")},
    **{f"cpu_{name}": ("cpu_seconds", name) for name in ("prepare", "run")},
    **{
        name: ("certificate", name)
        for name in (
            *("certified_gap", "dual_bound", "feasible_objective", "budget_violation", "polytope_violation"),
            *("bound_error", "objective_error", "feasible_violation"),
        )
    },
}
NESTED_TEXTS = {
    "device": ("settings", "device"),
    "dtype": ("settings", "dtype"),
    "certificate_reason": ("certificate", "reason"),
}
#: Beyond it a gap or an objective says no more than "huge", and no axis can show it.
_LARGEST = 1e100
REQUIRED = ("instance", "solver", "status")
#: Two rows that agree in these are one case that was read twice.
IDENTITY = ["suite", "case", "instance", "solver", "tolerance", "repeat", "environment", "time"]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Everything a report is made from.

    cases: the columns above, "options" (text), "trace", and what identity.py adds. environments: one mapping an id,
    with "machine" (a letter). runs: the "run" rows. warnings: lines for the reader. scaling: rows of that kind.
    """

    cases: pd.DataFrame
    environments: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    warnings: list[str]
    scaling: list[dict[str, Any]] = field(default_factory=list)


def load(inputs: Sequence[Path]) -> Loaded:
    files = [_read(path, f"input {n} ({path.name})") for n, path in enumerate(inputs, start=1)]
    warnings = [records.plain_text(line) for file in files for line in file.warnings]
    cases = _frame([row for file in files for row in file.cases])
    cases = _without(cases, (cases[list(REQUIRED)] == "").any(axis=1), "without instance, solver or status", warnings)
    twice = cases.duplicated(IDENTITY) & (cases["time"] != "")
    cases = _without(cases, twice, "that came twice (each counts once)", warnings)
    scaling = [records.plain_texts(row) for file in files for row in file.scaling]
    if cases.empty and not scaling:
        raise records.InputError(
            f"no case in {', '.join(str(path) for path in inputs) or 'no input'}: "
            "give a folder that `dualbench run --out` wrote or a JSON file of pytest-benchmark"
        )
    environments = _unique(records.plain_texts(row) for file in files for row in file.environments)
    cases, environments = identify(cases, environments)
    return Loaded(
        cases=cases,
        environments=environments,
        runs=[records.plain_texts(run) for file in files for run in file.runs],
        warnings=warnings,
        scaling=scaling,
    )


def _read(path: Path, name: str) -> records.RecordsFile:
    """One input; its warnings name it by position, so that a moved folder gives the same report."""
    file = records.read(path)
    at = str(path / records.RECORDS_FILE if path.is_dir() else path)
    file.warnings[:] = [line.replace(at, name) for line in file.warnings]
    return file


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    outer_names = {outer for outer, _ in (*NESTED.values(), *NESTED_TEXTS.values())}
    inner = {outer: [_mapping(row, outer) for row in rows] for outer in outer_names}
    columns: dict[str, Any] = {name: _texts([row.get(name) for row in rows]) for name in TEXTS}
    columns |= {name: _numbers([row.get(name) for row in rows]) for name in NUMBERS}
    columns |= {name: _numbers([row.get(key) for row in inner[outer]]) for name, (outer, key) in NESTED.items()}
    columns |= {name: _texts([row.get(key) for row in inner[outer]]) for name, (outer, key) in NESTED_TEXTS.items()}
    columns["options"] = [records.plain_text(options_text(row.get("options"))) for row in inner["settings"]]
    columns["too_short"] = [_too_short(row) for row in inner["disturbance"]]
    columns["trace"] = pd.Series([row.get("trace") for row in rows], dtype=object)
    return pd.DataFrame(columns)


def options_text(options: Any) -> str:
    """{"gamma": 0.001} as "gamma=0.001"."""
    if not isinstance(options, Mapping):
        return ""
    return " ".join(f"{name}={json.dumps(options[name], sort_keys=True)}" for name in sorted(options))


def _without(cases: pd.DataFrame, drop: pd.Series, what: str, warnings: list[str]) -> pd.DataFrame:
    count = int(drop.sum())
    if count:
        warnings.append(f"{count} rows {what} were left out")
    return cases[~drop].reset_index(drop=True)


def _unique(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first row of every id."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(str(row.get("id", "")), dict(row))
    return list(found.values())


def _mapping(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def _numbers(values: list[Any]) -> pd.Series:
    """NaN where a value is none; what is larger than any axis shows is cut to _LARGEST."""
    try:
        numbers = np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError):  # something else stands among them
        numbers = np.array([_number(value) for value in values], dtype=float)
    return pd.Series(np.clip(numbers, -_LARGEST, _LARGEST))


def _texts(values: list[Any]) -> pd.Series:
    """Each distinct text is made presentable, and kept, once."""
    try:
        known = {value: _text(value) for value in set(values)}
    except TypeError:  # something else stands among them
        return pd.Series([_text(value) for value in values], dtype=str)
    return pd.Series([known[value] for value in values], dtype=str)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and abs(value) <= sys.float_info.max else None


def _too_short(disturbance: Mapping[str, Any]) -> bool:
    return records.too_short({name: _number(disturbance.get(name)) for name in ("seconds", "cores")})


def _text(value: Any) -> str:
    """One line of printable text: a reason may be a traceback, and a figure must stay valid XML."""
    return "" if value is None else records.plain_text(str(value))
