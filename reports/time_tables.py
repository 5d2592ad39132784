"""The tables of times: who is fastest and what that is worth, and the time of every solver to each certified gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from harness.records import WITHIN_TOLERANCE
from reports.rankings import Ranking, rankings
from reports.shown import ABSENT, ROWS_SHOWN, Cell, Column, Table, digits, factor, listed, measured, plural, power
from reports.tables import Styles, grid
from reports.time_texts import (
    AT_LEAST,
    AT_MOST,
    AT_MOST_MEANS,
    NARROW,
    NOT_COMPARABLE,
    bound,
    lead_of,
    limit_signs,
    limits_of,
    runs_behind,
    seconds_of,
)
from reports.wins import level_with_fastest, undecided

NOBODY = {"none": "none of those asked", "not asked": "not asked"}


def winner_tables(best: pd.DataFrame, named: Mapping[str, Cell], styles: Styles) -> list[Table]:
    """One table a ranking, instance x target: the fastest solver, its time, and what it is worth against the next."""
    return [_winner_table(rows, ranking, named, styles) for ranking, rows in rankings(best)]


def _winner_table(best: pd.DataFrame, ranking: Ranking, named: Mapping[str, Cell], styles: Styles) -> Table:
    asked = sorted(best["target"].unique(), reverse=True)
    cells = {(row["instance"], row["target"]): winner_cell(row, styles) for row in best.to_dict("records")}
    shown = list(best["instance"].drop_duplicates().sort_values())
    missing = Cell(text=ABSENT, muted=True)
    among = f", {ranking.label}" if ranking.label else ""
    return Table(
        name=f"winners{ranking.suffix}",
        caption=f"The fastest solver to each certified gap{among}, its seconds of run, and what it is worth",
        columns=[
            Column(title="instance", numeric=False),
            *(Column(title=f"to gap {power(target)}", numeric=False) for target in asked),
        ],
        rows=[[named[name], *(cells.get((name, target), missing) for target in asked)] for name in shown[:ROWS_SHOWN]],
        frame=best.assign(
            level=[", ".join(names) if isinstance(names, list) else "" for names in best["level"]],
            given_less=[", ".join(names) if isinstance(names, list) else "" for names in best["given_less"]],
            at_most_of=[", ".join(f"{name} {seconds:g}" for name, seconds in of.items()) for of in best["at_most_of"]],
        ),
        left_out=max(0, len(shown) - ROWS_SHOWN),
    )


def winner_cell(row: Mapping[Any, Any], styles: Styles) -> Cell:
    """The fastest of a row of wins.winners with its seconds, and below what that is worth."""
    if row["verdict"] in ("none", "not asked"):
        return Cell(text=NOBODY[row["verdict"]], note=_best_gap(row), muted=True)
    text = f"{row['winner']} {_seconds(row, unit=f'{NARROW}s')}"
    win = row["verdict"] == "win"
    notes = [_over_the_next(row), _remaining(row)]
    return Cell(text=text, note="\n".join(filter(None, notes)), slot=styles[row["winner"]].slot, best=win)


def _over_the_next(row: Mapping[Any, Any]) -> str:
    if row["verdict"] == "walkover":
        return "no other was asked"
    if row["verdict"] == "level":
        return f"level with {listed([name for name in row['level'] if name != row['winner']])}"
    if row["verdict"] == "run alone":
        return f"{lead_of(row)} faster than {row['runner_up']}; with prepare {row['with_prepare']} is faster"
    if row["verdict"] == "other limits":
        return f"{listed(row['given_less'])} had less time: {NOT_COMPARABLE}"
    if row["verdict"] == NOT_COMPARABLE:
        return _not_comparable(row)
    if pd.isna(row["runner_up"]):
        return f"no other of {row['asked']} reached it"
    words = f"{lead_of(row)} faster than {row['runner_up']}"
    if _prepare_prevails(row) and row["seconds_with_prepare"]:
        words += f", with prepare {factor(row['runner_up_seconds_with_prepare'] / row['seconds_with_prepare'])}"
    return words


def _not_comparable(row: Mapping[Any, Any]) -> str:
    """Whose time is known only as less than that of a run cut short, and what is known beside it."""
    told = [f"{name} {bound(digits(seconds), AT_MOST)}{NARROW}s" for name, seconds in row["at_most_of"].items()]
    words = f"{listed(told)}: {NOT_COMPARABLE}"
    if row["at_most"] is True or pd.isna(row["runner_up"]):
        return words
    return f"{words}\n{lead_of(row)} faster than {row['runner_up']}"


def _remaining(row: Mapping[Any, Any]) -> str:
    """What the feasible point behind the gap violates, where something is left."""
    if row["near"] is True:
        return WITHIN_TOLERANCE
    return f"feasible up to {measured(row['violation'])}" if row["violation"] > 0 else ""


def _prepare_prevails(row: Mapping[Any, Any]) -> bool:
    return bool(row["prepare"] > row["seconds"])


def _best_gap(row: Mapping[Any, Any]) -> str:
    return f"best gap {measured(row['best_gap'])}" if pd.notna(row["best_gap"]) else "no certificate"


def time_tables(outcomes: pd.DataFrame, named: Mapping[str, Cell], styles: Styles) -> list[Table]:
    """One table a ranking and target: instance x solver."""
    return [
        _time_table(rows[rows["target"] == target], target, ranking, named, styles)
        for ranking, rows in rankings(outcomes)
        for target in sorted(rows["target"].unique(), reverse=True)
    ]


def _time_table(
    rows: pd.DataFrame, target: float, ranking: Ranking, named: Mapping[str, Cell], styles: Styles
) -> Table:
    fastest = rows.groupby("instance", observed=True)["seconds"].transform("min")
    rivals = rows.groupby("instance", observed=True)["asked"].transform("sum") > 1
    rows = rows.assign(
        best=level_with_fastest(rows) & rivals & ~undecided(rows),
        factor=(rows["seconds"] / fastest.replace(0.0, float("nan"))).mask(rows["at_most"]),
        factor_at_least=_fastest_at_most(rows),
    )
    among = f", {ranking.label}" if ranking.label else ""
    several = rows["repeats"].max() > 1
    below = "times the fastest · seconds with prepare" + ("; range over the repeats" if several else "")
    signs = {AT_MOST_MEANS: rows["at_most"].any()} | limit_signs(rows)
    below += "".join(f"; {sign}" for sign, occurs in signs.items() if occurs)
    table = grid(
        rows,
        named,
        styles,
        name=f"time-to-{power(target)}{ranking.suffix}",
        caption=f"Seconds of run to a certified gap of {power(target)}{among}, {runs_behind(rows)}; below: {below}",
        cell=_time_cell,
        ranking=ranking,
    )
    return replace(table, gap=power(target))


def _fastest_at_most(rows: pd.DataFrame) -> pd.Series:
    """Whether the least time of an instance is an upper bound, so that factors over it are lower ones."""
    least = rows.sort_values(["seconds", "at_most"], kind="stable", na_position="last")
    return least.groupby("instance", observed=True)["at_most"].transform("first").loc[rows.index]


def _time_cell(row: Mapping[Any, Any]) -> Cell:
    if pd.notna(row["seconds"]):
        note = f"{_times_the_fastest(row)} · {digits(row['seconds_with_prepare'])}"
        if row["repeats"] > 1:
            note += f"\n{digits(row['least'])} to {digits(row['most'])}"
        if row["repeats"] < row["runs_asked"]:
            note += f"\n{row['repeats']:.0f} of {plural(int(row['runs_asked']), 'run')}"
        if _remaining(row):
            note += f"\n{_remaining(row)}"
        note = "\n".join([note, *limits_of(row)])
        return Cell(text=_seconds(row), note=note, best=row["best"])
    if not row["asked"]:
        return Cell(text="not asked", muted=True)
    return Cell(text="not reached", note="\n".join([_best_gap(row), *limits_of(row)]), muted=True)


def _times_the_fastest(row: Mapping[Any, Any]) -> str:
    """No factor is made of a time that is not known."""
    if row["at_most"] is True:
        return NOT_COMPARABLE
    return bound(factor(row["factor"]), AT_LEAST if row["factor_at_least"] is True else "")


def _seconds(row: Mapping[Any, Any], unit: str = "") -> str:
    """Seconds of run with their mark; those of prepare stand at them where they are more."""
    run = f"{seconds_of(row)}{unit}"
    return f"{run} +{NARROW}{digits(row['prepare'])}{unit}{NARROW}prepare" if _prepare_prevails(row) else run
