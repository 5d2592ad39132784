"""Records files and pytest-benchmark exports as one table of cases: one row a case, plain columns.

This is the border of the reports: from here on every text is one printable line, and no number too large for an axis.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import records
from reports.identity import UNKNOWN_MACHINE, identify

#: Beyond it a gap or an objective says no more than "huge", and no axis can show it.
_LARGEST = 1e100
_LINE = re.compile(r"\bline \d+")
REQUIRED = ("instance", "solver", "status")
#: Two rows that agree in these are one case that was read twice.
IDENTITY = ["suite", "case", "instance", "solver", "tolerance", "repeat", "environment", "time"]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Everything that a report is made from."""

    cases: pd.DataFrame
    """The columns of records.case_columns, "options" (text), "accuracy" and "near" (harness/accuracy.py), "too_short",
    "trace", and what identity.py adds."""

    environments: list[dict[str, Any]]
    """One mapping for each id, with "machine" (a letter)."""

    runs: list[dict[str, Any]]
    """The rows of kind "run"."""

    warnings: list[str]
    """Lines for the reader."""

    scaling: list[dict[str, Any]] = field(default_factory=list)
    """The rows of kind "scaling"."""

    anytime: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The same columns of the cases that were cut short on purpose; `cases` has none of them."""

    prices: Mapping[str, float] = field(default_factory=dict)
    """Dollars an hour by machine, as the command line says."""

    references: list[dict[str, Any]] = field(default_factory=list)
    """The rows of kind "reference", with "machine"."""

    recurring: list[dict[str, Any]] = field(default_factory=list)
    """The rows of kind "recurring"."""

    whole: list[dict[str, Any]] = field(default_factory=list)
    """The rows of kind "whole"."""

    serving: list[dict[str, Any]] = field(default_factory=list)
    """The rows of kind "serving"."""


def load(inputs: Sequence[Path]) -> Loaded:
    files = [_read(path, f"input {n} ({path.name})") for n, path in enumerate(inputs, start=1)]
    warnings = _grouped(records.plain_text(line) for file in files for line in file.warnings)
    cases = _frame([row for file in files for row in file.cases])
    cases = _without(cases, (cases[list(REQUIRED)] == "").any(axis=1), "without instance, solver or status", warnings)

    twice = cases.duplicated(IDENTITY) & (cases["time"] != "")
    cases = _without(cases, twice, "that came twice (each counts once)", warnings)
    scaling = [records.plain_texts(row) for file in files for row in file.scaling]
    recurring = [records.plain_texts(row) for file in files for row in file.recurring]
    whole = [records.plain_texts(row) for file in files for row in file.whole]
    serving = [records.plain_texts(row) for file in files for row in file.serving]
    if cases.empty and not any((scaling, recurring, whole, serving)):
        raise records.InputError(
            f"no case in {', '.join(str(path) for path in inputs) or 'no input'}: "
            "give a folder that `dualbench run --out` wrote or a JSON file of pytest-benchmark"
        )

    environments = _unique(records.plain_texts(row) for file in files for row in file.environments)
    cases, environments = identify(cases, environments)
    shorter = cases[cases["anytime"]].drop(columns="anytime")
    cases = cases[~cases["anytime"]].drop(columns="anytime").reset_index(drop=True)
    letters = {row.get("id"): row["machine"] for row in environments}
    references = [records.plain_texts(row) for file in files for row in file.references]
    return Loaded(
        cases=cases,
        anytime=shorter,
        environments=environments,
        runs=[records.plain_texts(run) for file in files for run in file.runs],
        warnings=warnings,
        scaling=scaling,
        references=[{**row, "machine": letters.get(row["environment"], UNKNOWN_MACHINE)} for row in references],
        recurring=recurring,
        whole=whole,
        serving=serving,
    )


def _grouped(warnings: Iterable[str]) -> list[str]:
    """Warnings that differ in the number of a line alone are one, with how many there are."""
    groups: dict[str, list[str]] = {}
    for warning in warnings:
        groups.setdefault(_LINE.sub("line", warning), []).append(warning)
    return [first if not others else f"{first}, and {len(others)} more like it" for first, *others in groups.values()]


def _read(path: Path, name: str) -> records.RecordsFile:
    """One input; its warnings name it by position, so that a moved folder gives the same report."""
    file = records.read(path)
    at = str(path / records.RECORDS_FILE if path.is_dir() else path)
    file.warnings[:] = [line.replace(at, name) for line in file.warnings]
    return file


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One column for each text and number that a record of a case defines, and those made of several."""
    columns: dict[str, Any] = {}
    for column in records.case_columns():
        values = [_value(row, column.path) for row in rows]
        columns[column.name] = _texts(values) if column.type is str else _numbers(values)
    columns["options"] = [records.plain_text(options_text(_value(row, ("settings", "options")))) for row in rows]
    columns["division"] = _texts([_division(row) for row in rows])
    columns["accuracy"] = _numbers([records.accuracy(row.get("certificate")) for row in rows])
    columns["near"] = [records.within_tolerance_only(row.get("certificate")) for row in rows]
    columns["too_short"] = [records.too_short(row.get("disturbance") or {}) for row in rows]
    columns["anytime"] = pd.Series([bool(row.get("anytime")) for row in rows], dtype=bool)
    columns["trace"] = pd.Series([row.get("trace") for row in rows], dtype=object)
    return pd.DataFrame(columns)


def _value(row: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The field of a row, or an entry of a field; None where it is not there."""
    value: Any = row
    for name in path:
        value = (value or {}).get(name)
    return value


def _division(row: Mapping[str, Any]) -> str:
    """By the options of a case: what its record says can move it into "tuned" alone."""
    settings = row.get("settings") or {}
    said = row.get("division") == records.Division.TUNED
    return str(records.Division.TUNED if said else records.division_of(settings))


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
    unique: dict[str, dict[str, Any]] = {}
    for row in rows:
        unique.setdefault(str(row.get("id", "")), dict(row))
    return list(unique.values())


def _numbers(values: list[Any]) -> pd.Series:
    """NaN where there is no value; a number larger than any axis shows is cut to _LARGEST."""
    return pd.Series(np.clip(np.array(values, dtype=float), -_LARGEST, _LARGEST))


def _texts(values: list[Any]) -> pd.Series:
    """Each distinct text is made presentable, and kept, once."""
    known = {value: _text(value) for value in set(values)}
    return pd.Series([known[value] for value in values], dtype=str)


def _text(value: Any) -> str:
    """One line of printable text: a reason may be a traceback, and a figure must stay valid XML."""
    return "" if value is None else records.plain_text(str(value))
