"""`dualbench compare A B`: per case, how the run time of B stands to that of A, and whether accuracy was lost.

A case is instance, solver and settings; its repeats are its samples. The ratio is of medians; the spread is the least
and the largest ratio that single repeats give (min B / max A to max B / min A). A case is slower when its ratio is
above the threshold and the spread does not reach down to 1, that is when even its fastest repeat is slower than the
slowest before; with one repeat each the ratio alone decides. It lost accuracy when it was solved and no longer is, or
when it was not solved before either and its certified gap more than doubled. A gap within the tolerance is no loss.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from harness.records import RecordsFile
from harness.texts import plain_text
from instances import InputError

#: Facts that make two environments the same for a comparison of times; versions of the compared code may differ.
_SAME = ("cpu", "cores", "affinity", "cpu_quota", "memory_bytes", "gpu", "platform", "python")

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One case that both sets solved, or that one of them did not (ratio None). gap: the largest over the repeats."""

    case: str
    ratio: float | None
    least: float | None
    largest: float | None
    gap_before: float | None
    gap_after: float | None
    status_before: str
    status_after: str
    tolerance: float

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
        """Above the threshold, by more than the spread of the repeats."""
        if self.ratio is None or self.least is None or self.ratio <= threshold:
            return False
        return self.least > 1.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`only_before`, `only_after`: cases that one set lacks."""

    ratios: Sequence[Ratio]
    only_before: Sequence[str]
    only_after: Sequence[str]


def compare(before: RecordsFile, after: RecordsFile, *, any_environment: bool = False) -> Comparison:
    """Raises InputError for sets without a common case, and for different environments unless `any_environment`."""
    if not any_environment:
        _check_environments(before, after)
    old, new = _by_case(before.cases), _by_case(after.cases)
    common = [case for case in old if case in new]
    if not common:
        raise InputError("the two sets have no case in common: compare runs of the same suite and settings")
    return Comparison(
        ratios=[_ratio(case, old[case], new[case]) for case in common],
        only_before=[case for case in old if case not in new],
        only_after=[case for case in new if case not in old],
    )


def _check_environments(before: RecordsFile, after: RecordsFile) -> None:
    facts = {name: (_values(before.environments, name), _values(after.environments, name)) for name in _SAME}
    different = [f"{name} {' / '.join(a)} against {' / '.join(b)}" for name, (a, b) in facts.items() if a != b]
    if different:
        raise InputError(
            f"measured in different environments ({'; '.join(different)}): repeat one of them, or say --any-environment"
        )


def _values(rows: Rows, name: str) -> list[str]:
    return sorted({str(row.get(name)) for row in rows})


def _by_case(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """The repeats of each case, by what was asked for: instance, solver and every setting."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(_name(row), []).append(row)
    return found


def _name(row: Mapping[str, Any]) -> str:
    settings = dict(row["settings"])
    shown = [
        row["instance"],
        row["solver"],
        f"{settings.pop('tolerance'):g}",
        settings.get("device"),
        f"{settings.get('threads')}t",
    ]
    if settings.get("options"):
        shown.append(json.dumps(settings["options"], sort_keys=True))
    return "|".join(map(str, shown))


def _ratio(case: str, before: Rows, after: Rows) -> Ratio:
    old, new = _seconds(before), _seconds(after)
    both = bool(old and new)
    return Ratio(
        case=case,
        ratio=statistics.median(new) / statistics.median(old) if both else None,
        least=min(new) / max(old) if both else None,
        largest=max(new) / min(old) if both else None,
        gap_before=_worst_gap(before),
        gap_after=_worst_gap(after),
        status_before=_status(before),
        status_after=_status(after),
        tolerance=before[0]["settings"]["tolerance"],
    )


def _seconds(rows: Rows) -> list[float]:
    """Run times of the repeats, where all of them were solved: the time of a failure says nothing about speed."""
    if _status(rows) != "solved":
        return []
    return [run for row in rows if (run := row["seconds"].get("run"))]


def _status(rows: Rows) -> str:
    """Solved where every repeat was, else the status of the first that was not."""
    return next((str(row["status"]) for row in rows if row["status"] != "solved"), "solved")


def _worst_gap(rows: Rows) -> float | None:
    gaps = [(row.get("certificate") or {}).get("certified_gap") for row in rows]
    proved = [float(gap) for gap in gaps if gap is not None]
    return max(proved) if len(proved) == len(gaps) else None


def slower(comparison: Comparison, threshold: float) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.slower(threshold))


def lost_accuracy(comparison: Comparison) -> Iterator[Ratio]:
    yield from (ratio for ratio in comparison.ratios if ratio.lost_accuracy)


def comparison_table(comparison: Comparison) -> Table:
    """One row a case: ratio of medians with its spread, gaps and statuses."""
    table = Table("case", "B / A", "spread", "gap A", "gap B", "status", box=box.SIMPLE_HEAD)
    for ratio in comparison.ratios:
        same = ratio.status_before == ratio.status_after
        table.add_row(
            plain_text(ratio.case),
            _number(ratio.ratio, ".2f"),
            "-" if ratio.least is None else f"{ratio.least:.2f} to {ratio.largest:.2f}",
            _number(ratio.gap_before, ".1e"),
            _number(ratio.gap_after, ".1e"),
            ratio.status_after if same else f"{ratio.status_before} -> {ratio.status_after}",
        )
    return table


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)
