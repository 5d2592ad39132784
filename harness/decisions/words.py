"""summary.md: a summary for a reader, on a page and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.accuracy import accuracy, within_tolerance_only
from harness.decisions.whole import whole_in_words
from harness.numbers import measured, power
from harness.texts import plain_text

_LONGEST_KEY = 60  # characters of a key
_SHOWN = ("price", "load", "lower", "upper", "violation")
_PHASES = {
    "read": "reading the tables",
    "start": "finding the earlier output again",
    "warm_up": "compiling, once on a machine",
    "prepare": "preparing the solver",
    "run": "solving",
    "whole": "making the decisions whole",
    "referee": "repairing and judging",
    "write": "writing decisions and prices",
}


def in_words(summary: Mapping[str, Any]) -> str:
    """Markdown; every key and name from outside is one line of printable text."""
    return "\n".join([*_head(summary), "", *_certificate(summary), "", *_binding(summary), "", *_times(summary), ""])


def _head(summary: Mapping[str, Any]) -> Iterator[str]:
    name = Path(summary["problem"]).name if summary["problem"] else "tables in memory"
    counts = summary["decisions"]
    yield f"# {_cell(name)}: {summary['status'].replace('_', ' ')}"
    yield ""
    reason = f" ({_cell(summary['reason'])})" if summary["reason"] else ""
    yield f"{summary['meaning'].capitalize()}{reason}."
    yield ""
    yield f"- {summary['sense']}: **{_exactly(summary['objective'])}**{_bound(summary)}"
    total = _number(counts["total"])
    yield f"- {counts['edges_used']:,} of {counts['edges']:,} edges are used, the sum of x is {total}"
    yield f"- {counts['sources_used']:,} of {counts['sources']:,} sources have an edge that is used"
    for missed in summary["missed"]:
        rows = f"{missed['rows']:,} of {missed['of']:,} rows of {_cell(_short(missed['family']))}"
        yield f"- {rows} are outside their limits, by {_number(missed['units'])} together"
    yield from (f"- {_cell(note)}" for note in summary["notes"])
    if start := summary.get("start"):
        yield f"- {_cell(started_in_words(start))}"
        yield from _stayed(summary)
    solver = summary["solver"]
    yield f"- solver {_cell(solver['id'])} {_cell(solver['version'])}: {_cell(solver['why'])}"


def started_in_words(start: Mapping[str, Any]) -> str:
    """What of an earlier output was found again, in one line."""
    parts = []
    if start["decisions"] is not None:
        parts.append(
            f"{start['decisions']:,} decisions ({start['decisions_vanished']:,} more have gone), "
            f"{start['sources_new']:,} sources without one"
        )
    if start["prices"] is not None:
        gone = f"{start['prices_vanished']:,} more have gone"
        parts.append(f"{start['prices']:,} prices ({gone}), {start['prices_new']:,} rows new")
    place = start["folder"] or "an earlier solution"
    return "; ".join([f"began from {place} of {start['time']}: {parts[0]}", *parts[1:], *start["notes"]])


def _stayed(summary: Mapping[str, Any]) -> Iterator[str]:
    """How far the decisions moved, and with which weight on staying."""
    moved = summary["start"]["churn"]
    if moved is None:
        return
    stay = summary["solver"]["settings"].get("stay")
    asked = f", with a stay of {stay:g}: the certified gap below is what that cost at most" if stay else ""
    yield f"- {100 * moved:.3g} % of what sources decided on both days have was moved (the churn){asked}"


def _bound(summary: Mapping[str, Any]) -> str:
    if summary["bound"] is None:
        return "; nothing proves a bound"
    more = "more" if summary["sense"] == "maximise" else "less"
    return f"; no decisions that keep all limits reach {more} than {_exactly(summary['bound'])}, which is proved"


def _certificate(summary: Mapping[str, Any]) -> Iterator[str]:
    figures = summary["certificate"]
    asked = power(summary["solver"]["settings"]["tolerance"])
    yield "## How good the decisions are"
    yield ""
    if whole := summary.get("whole"):
        yield from whole_in_words(whole)
    elif accuracy(figures) is None:
        kept = "They keep every hard limit" if figures["feasible_objective"] is not None else "They are not feasible"
        yield f"{kept}; how far they are from the best is not known: {_cell(figures['reason'])}."
    elif within_tolerance_only(figures):
        yield (
            f"They are **not feasible**: a hard limit is left by {measured(figures['row_violation'])} of 1 + the limit "
            f"at most, and nothing repairs that. With violations at their prices the gap is "
            f"{measured(figures['priced_gap'])}; {asked} was asked for."
        )
    else:
        yield (
            f"They keep every hard limit, and at most {measured(figures['certified_gap'])} of the objective is missing "
            f"(the certified gap; {asked} was asked for)."
        )


def _binding(summary: Mapping[str, Any]) -> Iterator[str]:
    rows = summary["binding"]
    yield "## What binds"
    yield ""
    if not rows:
        yield "No limit has a price."
        return
    yield (
        "The rows with the largest price times load. The price is what one unit more of the limit changes in the "
        "objective."
    )
    yield ""
    yield from _table(
        ("limit", "key", "price", "load", "at least", "at most", "outside by"),
        [[_short(row["family"]), _short(row["key"] or ""), *(row[name] for name in _SHOWN)] for row in rows],
    )


def _times(summary: Mapping[str, Any]) -> Iterator[str]:
    yield "## Seconds"
    yield ""
    yield from _table(("phase", "s"), [(_PHASES[name], value) for name, value in summary["seconds"].items()])
    yield ""
    yield f"Written {summary['time']}, content {summary['content_hash'][:16]}; `dualbench verify` derives it again."


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) if isinstance(value, str) else _number(value) for value in row)} |"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_KEY else f"{text[:_LONGEST_KEY]}..."


def _exactly(value: float) -> str:
    """With so many digits that a bound still is one to the eye."""
    return f"{value:,.12g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}"


def _cell(text: str) -> str:
    """One line of printable text that no character of Markdown or HTML breaks."""
    plain = plain_text(text)
    for character, written in (("\\", "\\\\"), ("|", "\\|"), ("`", "\\`"), ("<", "&lt;"), ("*", "\\*"), ("_", "\\_")):
        plain = plain.replace(character, written)
    return plain
