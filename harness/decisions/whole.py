"""Whole decisions for a problem over tables: `dualbench solve --whole`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from harness.certificate import Certificate
from harness.integral.judge import Undecided, WholeFigures, judged_whole
from harness.integral.unmeetable import require_meetable
from harness.numbers import measured
from harness.plain import as_plain
from harness.rounding import Float64
from instances.tables import Stated
from instances.words import shown


def check_meetable(stated: Stated) -> None:
    """Raise InputError, in one line, where no whole decisions can exist."""
    require_meetable(stated.lp, lambda source: f"source {shown(str(stated.source_keys[source].as_py()))}")


def derived_whole(stated: Stated, x: Float64, certificate: Certificate, recorded: Any) -> dict[str, Any]:
    """The entry `whole` of summary.json again, but for the gap of the fractional decisions, which are not kept."""
    bound_gap = recorded.get("bound_gap") if isinstance(recorded, Mapping) else None
    plain: dict[str, Any] = as_plain(asdict(judged_whole(stated.lp, x, certificate, bound_gap)))
    return plain


def reached_by(whole: WholeFigures) -> str:
    """The gap of whole decisions in a few words, or why there is none."""
    return f"whole decisions with a gap of {measured(whole.gap)}" if whole.gap is not None else whole.reason


def whole_in_words(whole: Mapping[str, Any]) -> Iterator[str]:
    """Sentences for summary.md."""
    if whole["gap"] is None:
        reason = WholeFigures(**whole).reason
        yield f"They were to be whole, and nothing is proved of them: {reason}."
    else:
        fractional = "" if whole["bound_gap"] is None else f" ({measured(whole['bound_gap'])} with fractions)"
        yield (
            f"They are whole and keep every hard limit, and at most {measured(whole['gap'])} of the objective is "
            f"missing against the bound of the LP, the certified gap{fractional}."
        )
    yield ""
    yield f"{whole['decided']:,} sources are decided. Of the others:"
    yield ""
    yield from (f"- {count:,}: {Undecided(reason).sentence}" for reason, count in whole["undecided"].items())
