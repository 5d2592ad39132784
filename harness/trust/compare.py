"""`dualbench compare A B`: which cases of two sets of records are the same, and how their times and gaps stand.

A case is the content of an instance, a solver with its adapter, every setting, and in a series of days the day and how
it begins; its repeats are its samples. What differs in data, adapter, dtype, limits, threads, device or options is not
comparable, and is named. What the times of a case say stands in harness/trust/ratios.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.division import name_of
from harness.records import RecordsFile, contents
from harness.trust.places import check_places
from harness.trust.ratios import Change, Ratio, Rows, Summary, ratio_of, summary_of
from instances import InputError

_COMPARED = ("dtype", "time_limit", "iteration_limit", "threads", "device", "seed", "options")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two sets of records, case by case."""

    ratios: Sequence[Ratio]
    """The cases that both sets have."""

    different: Mapping[str, str]
    """Cases of the same solver, instance and tolerance that are not comparable, with the reason."""

    only_before: Sequence[str]
    """Cases that the second set lacks."""

    only_after: Sequence[str]
    """Cases that the first set lacks."""

    warnings: Sequence[str] = ()
    """Differences between the machines that matter little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    """The repeats of one case."""

    name: str
    content: str
    rows: list[Mapping[str, Any]]

    @property
    def first(self) -> Mapping[str, Any]:
        return self.rows[0]


def compare(before: RecordsFile, after: RecordsFile, *, any_environment: bool = False) -> Comparison:
    """Raises InputError for sets without a common case, and for different environments unless `any_environment`."""
    warnings = [] if any_environment else check_places(before.environments, after.environments)
    old, new = _cases([*before.cases, *before.recurring], [*after.cases, *after.recurring])
    ratios: list[Ratio] = []
    different: dict[str, str] = {}
    only_before: list[str] = []
    met: set[int] = set()
    asked: dict[tuple[Any, ...], list[_Case]] = {}
    for case in new:
        asked.setdefault(_asked(case), []).append(case)

    for case in old:
        rivals = [other for other in asked.get(_asked(case), []) if _same_question(case, other)]
        rivals = [other for other in rivals if name_of(other.first) == name_of(case.first)] or rivals
        equal = next((other for other in rivals if not _differences(case, other)), None)
        if equal is not None:
            ratios.append(ratio_of(case.name, case.rows, equal.rows))
            met.add(id(equal))
        elif rivals:
            different[case.name] = "; ".join(_differences(case, rivals[0]))
            met |= set(map(id, rivals))
        else:
            only_before.append(case.name)

    if not ratios and not different:
        raise InputError("the two sets have no case in common: compare runs of the same suite and settings")
    return Comparison(
        ratios=ratios,
        different=different,
        only_before=only_before,
        only_after=[case.name for case in new if id(case) not in met],
        warnings=warnings,
    )


def _cases(before: Rows, after: Rows) -> tuple[list[_Case], list[_Case]]:
    """The cases of both sets: the rows that were asked the same of the same content."""
    before, after = ([row for row in rows if not row.get("anytime")] for rows in (before, after))
    rows = [*before, *after]
    content = contents((row.get("content_hash"), row["spec_hash"]) for row in rows)
    known = list(zip(rows, content, strict=True))
    return _grouped(known[: len(before)]), _grouped(known[len(before) :])


def _grouped(known: Sequence[tuple[Mapping[str, Any], str]]) -> list[_Case]:
    groups: dict[str, _Case] = {}
    for row, content in known:
        asked = {name: row["settings"].get(name) for name in ("tolerance", *_COMPARED)}
        key = json.dumps(
            [content, row["solver"], row.get("adapter_hash"), asked, _day(row)], sort_keys=True, default=str
        )
        groups.setdefault(key, _Case(name=_name(row), content=content, rows=[])).rows.append(row)
    return list(groups.values())


def _name(row: Mapping[str, Any]) -> str:
    settings = row["settings"]
    shown = [row["instance"], name_of(row), f"{settings['tolerance']:g}", settings.get("device")]
    shown.append(f"{settings.get('threads')}t")
    if settings.get("options"):
        shown.append(json.dumps(settings["options"], sort_keys=True))
    if row.get("kind") == "recurring":
        shown += [f"drift {row['drift']:g}"] * (row["drift"] is not None)
        shown += [f"day {row['day']}", row["chain"]]
    return "|".join(map(str, shown))


def _day(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells the solves of a series of days apart; nothing of other cases."""
    return (row["drift"], row["day"], row["chain"]) if row.get("kind") == "recurring" else ()


def _same_question(one: _Case, other: _Case) -> bool:
    """Whether both are of the same solver at the same tolerance, on data of the same content or the same name."""
    named = one.content == other.content or one.first["instance"] == other.first["instance"]
    return bool(named and _asked(one) == _asked(other))


def _asked(case: _Case) -> tuple[Any, ...]:
    return case.first["solver"], case.first["settings"]["tolerance"], _day(case.first)


def _differences(one: _Case, other: _Case) -> list[str]:
    """Why the two are not comparable; what one of them did not record is no difference."""
    differences = []
    if one.content != other.content:
        differences.append(f"data {one.content[:8]} against {other.content[:8]}")

    a = one.first
    b = other.first
    adapters = (a.get("adapter_hash"), b.get("adapter_hash"))
    if None not in adapters and adapters[0] != adapters[1]:
        differences.append(f"adapter {str(adapters[0])[:8] or 'built in'} against {str(adapters[1])[:8] or 'built in'}")
    for name in _COMPARED:
        both = name in a["settings"] and name in b["settings"]
        if both and a["settings"][name] != b["settings"][name]:
            differences.append(f"{name} {_shown(a['settings'][name])} against {_shown(b['settings'][name])}")
    return differences


def _shown(value: Any) -> str:
    return "none" if value is None else json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def summaries(comparison: Comparison) -> list[Summary]:
    """One a solver, in the order of the cases."""
    by_solver: dict[str, list[Ratio]] = {}
    for ratio in comparison.ratios:
        by_solver.setdefault(ratio.solver, []).append(ratio)
    return [summary_of(solver, ratios) for solver, ratios in by_solver.items()]


def slower(comparison: Comparison, threshold: float) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.slower(threshold))


def faster(comparison: Comparison) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.change is Change.FASTER)


def lost_accuracy(comparison: Comparison) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.lost_accuracy)
