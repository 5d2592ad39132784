"""What README.md says beside its tables: where ours is faster, level, slower or not comparable, and which records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from reports.outcomes import outcomes
from reports.shown import listed, plural, power
from reports.stands import ANOTHER_RUN, OURS, Stand, Verdict
from reports.time_texts import NARROW, runs_behind


def where(cases: pd.DataFrame) -> str:
    """Machine, threads, days, and how many runs a number is of. cases: of one machine."""
    tried = cases[cases["status"] != "skipped"]
    threads = [plural(int(number), "thread") for number in sorted(tried["threads"].dropna().unique())]
    days = sorted({time[:10] for time in tried["time"]} - {""})
    when = " to ".join(dict.fromkeys((*days[:1], *days[-1:])))
    of = runs_behind(outcomes(cases)) if len(tried) else "no run"
    return f"On {', '.join([cases['machine'].iloc[0], *threads, when])}; seconds of `run`, {of}:"


def standing(found: Sequence[Stand]) -> str:
    """One line a gap: where ours is clearly faster, and each place where it is not."""
    gaps = list(dict.fromkeys(stand.gap for stand in found))
    return "\n".join(f"- {_standing_at(gap, [stand for stand in found if stand.gap == gap])}" for gap in gaps)


def _standing_at(gap: float, found: Sequence[Stand]) -> str:
    ahead = sum(stand.verdict in (Verdict.FASTER, Verdict.IN_RUN) for stand in found)
    told = [f"To {power(gap)} `{OURS}` is clearly faster than all others asked on {ahead} of {len(found)}"]
    for verdict, (words, tell) in _SAID.items():
        of_these = [tell(stand) for stand in found if stand.verdict == verdict]
        told += [words.format(listed(of_these))] if of_these else []
    return f"{'; '.join(told)}."


def _name(stand: Stand) -> str:
    return stand.instance


def _with_rival(stand: Stand) -> str:
    return f"{stand.instance} (`{stand.rival}` {stand.seconds}{NARROW}s, ours {stand.ours})"


def _bounds(stand: Stand) -> str:
    return f"{stand.instance} ({stand.bounded})"


#: What is said of the places of each verdict, and what of a place.
_SAID: Mapping[Verdict, tuple[str, Callable[[Stand], str]]] = {
    Verdict.IN_RUN: ("of them in `run` alone, as another one is with `prepare`, on {}", _name),
    Verdict.LEVEL: ("level on {}", _with_rival),
    Verdict.SLOWER: ("**slower on {}**", _with_rival),
    Verdict.MISSED: ("**not there on {}**", _with_rival),
    Verdict.NOT_COMPARABLE: ("not comparable on {}, as a limit ended those runs within the gap", _bounds),
    Verdict.OTHER_LIMITS: ("not comparable on {}, as a shorter time limit ended who is not there", _name),
    Verdict.NOTHING: ("nobody to compare with on {}", _name),
}


def sources(cases: pd.DataFrame, found: Sequence[Stand]) -> str:
    """The folders that hold these records, with who was measured in each; what ANOTHER_RUN means where it occurs."""
    told = [
        f"`{folder}` ({listed([f'`{name}`' for name in sorted(set(rows['competitor']))])})"
        for folder, rows in cases[cases["status"] != "skipped"].groupby("folder", sort=True)
    ]
    apart = any(ANOTHER_RUN in stand.factor for stand in found)
    more = f" {ANOTHER_RUN}: the two times are of different folders." if apart else ""
    return f"Records in [reports/published](reports/published/README.md): {listed(told)}.{more}"
