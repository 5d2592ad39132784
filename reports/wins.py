"""Who is fastest where, and whether that is a win: by the ranges of repeats, among those asked for the same gap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.rankings import RANKING

PLACE = ["target", "instance", *RANKING]
LEVEL = 1.1  # a smaller factor is no win: a single run may be a tenth too long without a mark (METHOD.md)


def winners(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row a target, instance and ranking: who is fastest there, and whether that is a win.

    verdict: "win", over somebody asked for the same target who needs longer or does not reach it; "level", where the
    next one's times are not clearly longer; "run alone", where with_prepare, another, is faster when prepare counts;
    "walkover", where nobody else was asked; "not comparable", where it is unknown who is fastest (`undecided`);
    "other limits", where that is so because a rival was given less time (`given_less`); "none" of those asked reached
    it; "not asked". The winner's figures are those of `outcomes`; runner_up, its seconds and
    range, and the factor between the two are those of the next one whose time is known. Where the winner's time is
    at_most, the factor is a lower bound.
    level: all who are level with the fastest. at_most_of: {competitor: seconds} of the others whose time is at_most.
    asked: the number of solvers that were asked for the target. given_less: who of them was given less time.
    """
    places = outcomes.dropna(subset="seconds").sort_values([*PLACE, "seconds", "at_most", "competitor"])
    place = places.groupby(PLACE, observed=True).cumcount()
    figures = ["competitor", "seconds", "least", "most", "seconds_with_prepare"]
    first = places[place == 0].set_index(PLACE)
    known = places[(place > 0) & ~places["at_most"]]
    second = known.drop_duplicates(PLACE).set_index(PLACE)[figures].rename(columns={"competitor": "solver"})
    best = first.drop(columns=["asked", "best_gap", "limit", "timed_out"]).join(second.add_prefix("runner_up_"))
    best = best.rename(columns={"competitor": "winner", "runner_up_solver": "runner_up"})
    best["factor"] = best["runner_up_seconds"] / best["seconds"].replace(0.0, np.nan)

    everything = outcomes.groupby(PLACE, observed=True).agg(best_gap=("best_gap", "min"), asked=("asked", "sum"))
    level = outcomes[level_with_fastest(outcomes)].groupby(PLACE, observed=True)["competitor"].agg(list)
    others = {
        key: dict(zip(rows["competitor"], rows["seconds"], strict=True))
        for key, rows in places[(place > 0) & places["at_most"]].groupby(PLACE, observed=True)
    }
    in_total = places.sort_values("seconds_with_prepare", kind="stable").drop_duplicates(PLACE).set_index(PLACE)
    rows = everything.join(best).join(level.rename("level")).join(in_total["competitor"].rename("with_prepare"))
    of_others = pd.Series([others.get(key, {}) for key in rows.index], index=rows.index, dtype=object)
    less = outcomes[given_less(outcomes)].groupby(PLACE, observed=True)["competitor"].agg(list)
    rows = rows.assign(at_most_of=of_others).join(less.rename("given_less")).reset_index()
    return rows.assign(verdict=[_verdict(row) for row in rows.to_dict("records")])


def _verdict(row: Mapping[Any, Any]) -> str:
    if not row["asked"]:
        return "not asked"
    if pd.isna(row["winner"]):
        return "none"
    if row["asked"] == 1:
        return "walkover"
    if row["at_most_of"]:
        return "not comparable"
    if isinstance(row["given_less"], list):
        return "other limits"
    if len(row["level"]) > 1:
        return "level"
    return "win" if row["with_prepare"] == row["winner"] else "run alone"


def undecided(outcomes: pd.DataFrame) -> pd.Series:
    """Whether it is unknown who is fastest at a row's target, instance and ranking.

    A solver whose time is at most T may have been there before everybody: only where its T is the least of all times,
    and every other time is known, is it known to be the fastest. Nor is anything known of one that was given less time
    than the fastest needed.
    """
    order = outcomes.sort_values(["seconds", "at_most"], kind="stable", na_position="last")
    places = [order[name] for name in PLACE]
    bounded = order["at_most"].groupby(places, observed=True).transform("sum")
    first = order["at_most"].groupby(places, observed=True).transform("first")
    less = given_less(outcomes).groupby([outcomes[name] for name in PLACE], observed=True).transform("any")
    return (bounded > first.astype(int)).loc[outcomes.index] | less


def given_less(outcomes: pd.DataFrame) -> pd.Series:
    """Whether a row's time limit ended it where the fastest was given more time than it, and needed it."""
    order = outcomes.sort_values(["seconds", "at_most"], kind="stable", na_position="last")
    fastest = order.groupby(PLACE, observed=True)[["seconds", "time_limit"]].transform("first").loc[outcomes.index]
    limit = outcomes["time_limit"].fillna(math.inf)
    longer = fastest["time_limit"].fillna(math.inf) > limit
    return outcomes["asked"] & outcomes["timed_out"] & longer & (fastest["seconds"] > limit)


def level_with_fastest(outcomes: pd.DataFrame) -> pd.Series:
    """Whether a row's time is not clearly longer than the least of its target, instance and ranking.

    It is where the ranges of their repeats overlap, or the factor between them is below LEVEL. A disturbed time counts
    for no more than it may have been alone. A time that is at_most is level with no other.
    """
    order = outcomes.sort_values(["seconds", "at_most"], kind="stable", na_position="last")
    fastest = order.groupby(PLACE, observed=True)[["competitor", "seconds", "most"]].transform("first")
    fastest = fastest.loc[outcomes.index]
    near = outcomes[["seconds", "alone"]].min(axis=1) <= LEVEL * fastest["seconds"]
    level = (near | (outcomes["least"] <= fastest["most"])) & outcomes["seconds"].notna()
    return level & (~outcomes["at_most"] | (outcomes["competitor"] == fastest["competitor"]))
