"""`dualbench compare A B`: per case, how the run time of B stands to that of A, and whether accuracy was lost.

A case is the content of an instance, a solver with its adapter, and every setting; its repeats are its samples. The
ratio is of medians. The spread of the repeats is the model of the noise: a case is slower or faster where the two
ranges of seconds do not meet and the ratio is beyond 1.05 either way (three repeats or more on both sides) or 1.2
(fewer), else it is level. Repeats that were disturbed (~) are set aside. A case lost accuracy when it was solved and no
longer is, or when it was not solved before either and its certified gap more than doubled; a gap within the tolerance
is no loss. What differs in data, adapter, dtype, limits, threads, device or options is not comparable, and is named.
"""

from __future__ import annotations

import enum
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.records import RecordsFile, contents
from harness.trust.places import check_places
from instances import InputError

#: Ratios up to these are level: with at least _REPEATS repeats on both sides, and with fewer.
LEVEL = 1.05
LEVEL_OF_FEW = 1.2
_REPEATS = 3
_TICK = 1e-9  # seconds: no clock of ours tells less apart
_COMPARED = ("dtype", "time_limit", "iteration_limit", "threads", "device", "seed", "options")

Rows = Sequence[Mapping[str, Any]]


class Change(enum.StrEnum):
    """What can be said of the time of a case."""

    SLOWER = "slower"
    FASTER = "faster"
    LEVEL = "level"
    DISTURBED = "disturbed"  # every repeat of one side was
    UNSOLVED = "-"  # one side has no time: the time of a failure says nothing about speed


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One case of both sets; ratio, least and largest are None where there is no time to compare.

    least, largest: the ratios that single repeats give at the extremes. gap: the largest over the repeats. set_aside:
    repeats that were disturbed, of both sets.
    """

    case: str
    solver: str
    change: Change
    ratio: float | None
    least: float | None
    largest: float | None
    gap_before: float | None
    gap_after: float | None
    status_before: str
    status_after: str
    tolerance: float
    set_aside: int = 0

    @property
    def lost_accuracy(self) -> str:
        """What was lost in a few words, "" where nothing was."""
        if self.status_before == "solved" and self.status_after != "solved":
            return f"solved -> {self.status_after}"
        if self.status_before == self.status_after == "solved" or self.gap_before is None:
            return ""
        if self.gap_after is None:
            return f"gap {self.gap_before:.1e} -> none"
        return f"gap {self.gap_before:.1e} -> {self.gap_after:.1e}" if self.gap_after > 2 * self.gap_before else ""

    def slower(self, threshold: float) -> bool:
        """Slower, and above the threshold."""
        return self.change is Change.SLOWER and self.ratio is not None and self.ratio > threshold


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One solver over its cases: the geometric mean of the ratios, None without one, and how many cases are what."""

    solver: str
    mean: float | None
    counts: Mapping[Change, int]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """different: cases of the same solver, instance and tolerance that are not comparable, with the reason.
    only_before, only_after: cases that one set lacks. warnings: what differs between the places, and matters little.
    """

    ratios: Sequence[Ratio]
    different: Mapping[str, str]
    only_before: Sequence[str]
    only_after: Sequence[str]
    warnings: Sequence[str] = ()


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
    old, new = _cases(before.cases, after.cases)
    ratios: list[Ratio] = []
    different: dict[str, str] = {}
    only_before: list[str] = []
    met: set[int] = set()
    asked: dict[tuple[str, float], list[_Case]] = {}
    for case in new:
        asked.setdefault(_asked(case), []).append(case)

    for case in old:
        rivals = [other for other in asked.get(_asked(case), []) if _same_question(case, other)]
        equal = next((other for other in rivals if not _differences(case, other)), None)
        if equal is not None:
            ratios.append(_ratio(case, equal))
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
    rows = [*before, *after]
    content = contents((row.get("content_hash"), row["spec_hash"]) for row in rows)
    known = list(zip(rows, content, strict=True))
    return _grouped(known[: len(before)]), _grouped(known[len(before) :])


def _grouped(known: Sequence[tuple[Mapping[str, Any], str]]) -> list[_Case]:
    groups: dict[str, _Case] = {}
    for row, content in known:
        asked = {name: row["settings"].get(name) for name in ("tolerance", *_COMPARED)}
        key = json.dumps([content, row["solver"], row.get("adapter_hash"), asked], sort_keys=True, default=str)
        groups.setdefault(key, _Case(name=_name(row), content=content, rows=[])).rows.append(row)
    return list(groups.values())


def _name(row: Mapping[str, Any]) -> str:
    settings = row["settings"]
    shown = [row["instance"], row["solver"], f"{settings['tolerance']:g}", settings.get("device")]
    shown.append(f"{settings.get('threads')}t")
    if settings.get("options"):
        shown.append(json.dumps(settings["options"], sort_keys=True))
    return "|".join(map(str, shown))


def _same_question(one: _Case, other: _Case) -> bool:
    """Whether both are of the same solver at the same tolerance, on data of the same content or the same name."""
    named = one.content == other.content or one.first["instance"] == other.first["instance"]
    return bool(named and _asked(one) == _asked(other))


def _asked(case: _Case) -> tuple[str, float]:
    return case.first["solver"], case.first["settings"]["tolerance"]


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


def _ratio(before: _Case, after: _Case) -> Ratio:
    old = _seconds(before.rows)
    new = _seconds(after.rows)
    both = bool(old and new)
    return Ratio(
        case=before.name,
        solver=str(before.first["solver"]),
        change=_change(before.rows, after.rows, old, new),
        ratio=statistics.median(new) / statistics.median(old) if both else None,
        least=min(new) / max(old) if both else None,
        largest=max(new) / min(old) if both else None,
        gap_before=_worst_gap(before.rows),
        gap_after=_worst_gap(after.rows),
        status_before=_status(before.rows),
        status_after=_status(after.rows),
        tolerance=before.first["settings"]["tolerance"],
        set_aside=sum(bool(row.get("disturbed")) for row in (*before.rows, *after.rows)),
    )


def _change(before: Rows, after: Rows, old: Sequence[float], new: Sequence[float]) -> Change:
    if not old or not new:
        solved = _status(before) == _status(after) == "solved"
        disturbed = any(all(row.get("disturbed") for row in rows) for rows in (before, after))
        return Change.DISTURBED if solved and disturbed else Change.UNSOLVED
    ratio = statistics.median(new) / statistics.median(old)
    level = LEVEL if min(len(old), len(new)) >= _REPEATS else LEVEL_OF_FEW
    if min(new) > max(old) and ratio > level:
        return Change.SLOWER
    if max(new) < min(old) and ratio < 1 / level:
        return Change.FASTER
    return Change.LEVEL


def _seconds(rows: Rows) -> list[float]:
    """Run times of the repeats that nothing disturbed, where all repeats were solved."""
    if _status(rows) != "solved":
        return []
    return [max(run, _TICK) for row in rows if not row.get("disturbed") and (run := row["seconds"].get("run"))]


def _status(rows: Rows) -> str:
    """Solved where every repeat was, else the status of the first that was not."""
    return next((str(row["status"]) for row in rows if row["status"] != "solved"), "solved")


def _worst_gap(rows: Rows) -> float | None:
    gaps = [(row.get("certificate") or {}).get("certified_gap") for row in rows]
    proved = [float(gap) for gap in gaps if gap is not None]
    return max(proved) if len(proved) == len(gaps) else None


def summaries(comparison: Comparison) -> list[Summary]:
    """One a solver, in the order of the cases."""
    by_solver: dict[str, list[Ratio]] = {}
    for ratio in comparison.ratios:
        by_solver.setdefault(ratio.solver, []).append(ratio)
    return [_summary(solver, ratios) for solver, ratios in by_solver.items()]


def _summary(solver: str, ratios: Sequence[Ratio]) -> Summary:
    known = [ratio.ratio for ratio in ratios if ratio.ratio is not None]
    mean = math.exp(statistics.fmean(map(math.log, known))) if known else None
    return Summary(solver=solver, mean=mean, counts={c: sum(r.change is c for r in ratios) for c in Change})


def slower(comparison: Comparison, threshold: float) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.slower(threshold))


def faster(comparison: Comparison) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.change is Change.FASTER)


def lost_accuracy(comparison: Comparison) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.lost_accuracy)
