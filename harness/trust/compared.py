"""What `dualbench compare` shows: a row a case, and a line a solver."""

from __future__ import annotations

from rich import box
from rich.table import Table

from harness.numbers import number
from harness.records import DISTURBED
from harness.texts import plain_text
from harness.trust.compare import Comparison
from harness.trust.ratios import Change, Ratio, Summary

_WORDS = {
    Change.UNSOLVED: "not solved in one or both",
    Change.DISTURBED: "disturbed and set aside",
    Change.SKIPPED: "skipped in both",
}


def comparison_table(comparison: Comparison) -> Table:
    """One row a case: ratio of medians with its spread, what that says, gaps and statuses."""
    table = Table("case", "B / A", "spread", "time", "gap A", "gap B", "status", box=box.SIMPLE_HEAD)
    for ratio in comparison.ratios:
        same = ratio.status_before == ratio.status_after
        table.add_row(
            plain_text(ratio.case),
            number(ratio.ratio, ".2f"),
            "-" if ratio.least is None else f"{ratio.least:.2f} to {ratio.largest:.2f}",
            _change(ratio),
            number(ratio.gap_before, ".1e"),
            number(ratio.gap_after, ".1e"),
            plain_text(ratio.status_after if same else f"{ratio.status_before} -> {ratio.status_after}"),
        )
    return table


def summary_line(summary: Summary) -> str:
    """Such as "blockpdhg  0.93 (geometric mean of B / A): 3 faster, 5 level; repeats differ 1.04 times"."""
    counts = [f"{count} {_WORDS.get(change, change)}" for change, count in summary.counts.items() if count]
    lost = [f"{summary.lost} less accurate"] if summary.lost else []
    noise = "no repeats" if summary.spread is None else f"repeats differ {summary.spread:.2f} times"
    mean = "no ratio" if summary.mean is None else f"{summary.mean:.2f} (geometric mean of B / A)"
    return plain_text(f"{summary.solver}  {mean}: {', '.join([*counts, *lost])}; {noise}")


def _change(ratio: Ratio) -> str:
    return f"{ratio.change} {DISTURBED}{ratio.set_aside}" if ratio.set_aside else str(ratio.change)
