"""How our solver stands beside the fastest of the others, place by place: what README.md says of the records."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness.records import Status
from reports import time_texts, wins
from reports.shown import ABSENT, digits, listed
from reports.time_texts import AT_LEAST, NARROW, bound, seconds_of

OURS = "blockpdhg"
#: Behind a factor between records of two folders.
ANOTHER_RUN = "†"


class Verdict(enum.StrEnum):
    """What can be said of one place."""

    FASTER = "faster"
    IN_RUN = "faster in run alone"  # with prepare another one is
    LEVEL = "level"
    SLOWER = "slower"
    MISSED = "missed"  # another reached the gap
    NOT_COMPARABLE = time_texts.NOT_COMPARABLE
    OTHER_LIMITS = "other limits"
    NOTHING = ""  # nothing to compare


@dataclass(frozen=True, kw_only=True)
class Stand:
    """How our solver stands on one instance at one gap."""

    instance: str
    """Its name."""

    gap: float
    """The certified one."""

    verdict: Verdict
    """What can be said."""

    ours: str
    """Its seconds."""

    rival: str
    """The fastest other, or how many were asked in vain."""

    seconds: str
    """Of the rival."""

    factor: str
    """The rival's time over ours."""

    bounded: str
    """The others whose time is only bounded, with their bounds."""


def stands(found: pd.DataFrame, cases: pd.DataFrame, gaps: Sequence[float]) -> list[Stand]:
    """One for each gap and instance, in the order of the instances.

    found: outcomes.outcomes of one ranking. cases: its cases, newest.newest.
    """
    found = found[found["asked"]]
    best = {(row["instance"], row["target"]): row for row in wins.winners(found).to_dict("records")}
    folders = cases.drop_duplicates(["instance", "competitor"]).set_index(["instance", "competitor"])["folder"]
    found = found.assign(folder=folders.reindex(pd.MultiIndex.from_frame(found[["instance", "competitor"]])).to_numpy())
    limits = _limits(cases)
    return [
        _stand(found[(found["instance"] == name) & (found["target"] == gap)], best[name, gap], limits.get(name))
        for gap in gaps
        for name in cases["instance"].cat.categories
        if (name, gap) in best
    ]


def _limits(cases: pd.DataFrame) -> dict[str, float]:
    """By instance the least time limit that ended a case."""
    ended = cases[cases["status"] == str(Status.TIME_LIMIT)]
    return {
        str(name): float(limit) for name, limit in ended.groupby("instance", observed=True)["time_limit"].min().items()
    }


def _stand(rows: pd.DataFrame, best: Mapping[Any, Any], limit: float | None) -> Stand:
    """rows: of one place."""
    own = next(iter(rows[rows["competitor"] == OURS].to_dict("records")), None)
    reached = own is not None and pd.notna(own["seconds"])
    others = rows[rows["competitor"] != OURS]
    known = Stand(
        instance=str(best["instance"]),
        gap=float(best["target"]),
        verdict=Verdict.NOTHING,
        ours=ABSENT if own is None else seconds_of(own) if reached else Verdict.MISSED,
        rival="none asked" if others.empty else f"none of {len(others)}",
        seconds="",
        factor="",
        bounded=_bounded(others),
    )

    rival = _rival(others)
    if rival is not None:
        verdict = _verdict(own, best)
        factor = _factor(own, rival)
        return replace(known, verdict=verdict, rival=rival["competitor"], seconds=seconds_of(rival), factor=factor)
    if others.empty or own is None or not reached:
        return known
    if best["verdict"] == "other limits":
        return replace(known, verdict=Verdict.OTHER_LIMITS)
    if limit is None:
        return replace(known, verdict=Verdict.FASTER)
    return replace(
        known, verdict=Verdict.FASTER, seconds=f"> {digits(limit)}", factor=f"> {digits(limit / own['seconds'])}"
    )


def _rival(others: pd.DataFrame) -> dict[Any, Any] | None:
    """The fastest of those whose time is known; where none is, the one with the least bound."""
    reached = others.dropna(subset="seconds").sort_values(["at_most", "seconds", "competitor"])
    return next(iter(reached.to_dict("records")), None)


def _verdict(own: Mapping[Any, Any] | None, best: Mapping[Any, Any]) -> Verdict:
    if own is None:
        return Verdict.NOTHING
    if pd.isna(own["seconds"]):
        given_less = isinstance(best["given_less"], list) and OURS in best["given_less"]
        return Verdict.OTHER_LIMITS if given_less else Verdict.MISSED
    clear = best["winner"] != OURS and OURS not in best["level"]
    if clear and not own["at_most"]:
        return Verdict.SLOWER
    others = {
        "not comparable": Verdict.NOT_COMPARABLE,
        "other limits": Verdict.OTHER_LIMITS,
        "level": Verdict.LEVEL,
        "run alone": Verdict.IN_RUN,
    }
    return others.get(best["verdict"], Verdict.FASTER)


def _factor(own: Mapping[Any, Any] | None, rival: Mapping[Any, Any]) -> str:
    """None is made of a rival's time that is only bounded."""
    if own is None or pd.isna(own["seconds"]):
        return ""
    if rival["at_most"]:
        return Verdict.NOT_COMPARABLE
    sign = AT_LEAST if own["at_most"] else ""
    apart = ANOTHER_RUN if own["folder"] != rival["folder"] else ""
    return f"{bound(digits(rival['seconds'] / own['seconds']), sign)}{apart}"


def _bounded(others: pd.DataFrame) -> str:
    rows = others[others["at_most"]].sort_values("competitor").to_dict("records")
    return listed([f"`{row['competitor']}` {seconds_of(row)}{NARROW}s" for row in rows])
