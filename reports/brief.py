"""The answer for narrow screens: for each instance a line with the fastest solver and the others in their order.

A matrix of a dozen solvers does not fit on a phone. The list says the same of its first instances without scrolling
sideways; templates/restand.js makes it anew for the solvers and instances that are shown.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from reports.rankings import Ranking
from reports.shown import Brief, listed
from reports.tables import Styles
from reports.time_tables import winner_cell
from reports.time_texts import NARROW, seconds_of

#: Instances of the list: two screens of a phone. The matrix below it has all.
SHOWN = 12


def brief(rows: pd.DataFrame, winners: pd.DataFrame, styles: Styles, ranking: Ranking) -> list[Brief]:
    """Of the first SHOWN instances of `ranking` at one gap.

    rows: of outcomes.outcomes. winners: of wins.winners.
    """
    rows = rows[rows["asked"]].sort_values(["seconds", "at_most", "competitor"])
    shown = winners[winners["asked"] > 0].sort_values("instance", kind="stable").head(SHOWN)
    found = []
    for best in shown.to_dict("records"):
        fastest = winner_cell(best, styles)
        others = rows[(rows["instance"] == best["instance"]) & (rows["competitor"] != best["winner"])]
        found.append(
            Brief(
                instance=str(best["instance"]),
                fastest=replace(fastest, text=ranking.plain(fastest.text), note=ranking.plain(fastest.note)),
                others=ranking.plain(_in_order(others)),
            )
        )
    return found


def _in_order(others: pd.DataFrame) -> str:
    """Such as "then a 2.00 s, b 3.10 s; missed by c and d"."""
    reached = others[others["seconds"].notna()].to_dict("records")
    missed = sorted(others.loc[others["seconds"].isna(), "competitor"])
    times = ", ".join(f"{row['competitor']} {seconds_of(row)}{NARROW}s" for row in reached)
    parts = (times and f"then {times}", f"missed by {listed(missed)}" if missed else "")
    return "; ".join(filter(None, parts))
