"""The tables of a site: runs, families and solvers with their pages, who wins where, and how times change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reports import environments
from reports.answer import preferred
from reports.panel import slug
from reports.shown import ABSENT, Cell, Column, Table, digits, factor, listed, plural, power
from reports.site_runs import Run
from reports.time_texts import AT_LEAST, AT_MOST, NOT_COMPARABLE, bound, cut_of, seconds_of


def columns(*titles: str, text: int) -> list[Column]:
    """The first `text` of them hold text, the others numbers."""
    return [Column(title=title, numeric=k >= text) for k, title in enumerate(titles)]


def run_table(runs: Sequence[Run]) -> Table:
    rows = []
    for run in runs:
        cases = run.loaded.cases
        machines = [environments.machine(row) for row in run.loaded.environments]
        suites = sorted(set(cases["suite"]) - {""})
        rows.append(
            [
                Cell(text=run.name, link=f"{run.folder}/report.html"),
                Cell(text=run.day or ABSENT),
                Cell(text="; ".join(dict.fromkeys(machines)) or "not said"),
                Cell(text=", ".join([*suites, *_others(run)]) or ABSENT),
                Cell(text=f"{len(cases):,}"),
                Cell(text=f"{cases['instance'].nunique() if len(cases) else 0:,}"),
                Cell(text=f"{cases['solver'].nunique() if len(cases) else 0:,}"),
            ]
        )
    titles = ("run", "since", "machine", "suites", "cases", "instances", "solvers")
    return _table("all-runs", "Every run, with its page", columns(*titles, text=4), rows)


def _others(run: Run) -> list[str]:
    """What a run holds beside cases."""
    loaded = run.loaded
    kinds = {
        "runs over ranks": loaded.scaling,
        "series of days": loaded.recurring,
        "whole decisions": loaded.whole,
        "serving from prices": loaded.serving,
    }
    return [name for name, rows in kinds.items() if rows]


def family_table(times: pd.DataFrame, titles: Mapping[str, str]) -> Table:
    """One row a family: what it is, and who wins how often with default options at the gap most users ask for."""
    rows = []
    for name, found in times.groupby("family", sort=True):
        target = preferred(found["target"].unique())
        asked = found[(found["target"] == target) & (found["division"] == "default")]
        rows.append(
            [
                Cell(text=str(name), link=f"families/{slug(str(name))}/index.html"),
                Cell(text=titles.get(str(name), ABSENT)),
                Cell(text="; ".join(_standing(asked)), note=f"to {power(target)}"),
                Cell(
                    text=plural(len(asked.drop_duplicates(MEASUREMENT)), "measurement"), note="\n".join(_where(asked))
                ),
                Cell(text=f"{found['instance'].nunique():,}"),
            ]
        )
    caption = (
        "Every family, with its page. A measurement is one instance in one run on one machine, the same instance in "
        "another run or on another machine is another one; solvers with options of their own are not counted here"
    )
    heads = columns("family", "what it is", "who won", "measured", "instances", text=4)
    return _table("families", caption, heads, rows)


#: What all solvers of one place in a ranking have in common, beside the gap and the division.
MEASUREMENT = ["run", "instance", "machine"]
#: What is said of a measurement that nobody won, by verdict (wins.winners).
_NO_WIN = {
    "level": "{} level",
    "run alone": "{} undecided, as another was faster with prepare",
    "not comparable": "{} undecided, as a limit ended a run within the gap",
    "other limits": "{} undecided, as time limits differ",
    "walkover": "{} with one solver alone",
    "none": "{} where nobody got there",
}


def _standing(asked: pd.DataFrame) -> list[str]:
    """How many measurements each solver won, and what became of the others."""
    wins = won(asked)["solver"].value_counts()
    told = [f"{solver} {number}" for solver, number in wins.items()] or ["nobody"]
    others = asked.drop_duplicates(MEASUREMENT)["verdict"].value_counts()
    return [", ".join(told), *(words.format(others[name]) for name, words in _NO_WIN.items() if name in others)]


def _where(asked: pd.DataFrame) -> list[str]:
    """One line a machine: how many measurements, and under which time limits."""
    return [
        f"{len(rows.drop_duplicates(MEASUREMENT))} on {hardware}{_limits(rows)}"
        for hardware, rows in asked.groupby(asked["hardware"].fillna("a machine that is not said"), sort=True)
    ]


def _limits(rows: pd.DataFrame) -> str:
    limits = sorted(rows["time_limit"].dropna().unique())
    return f", time limit {listed([f'{limit:g}' for limit in limits])} s" if limits else ""


def solver_table(times: pd.DataFrame, titles: Mapping[str, str]) -> Table:
    rows = []
    for name, found in times.groupby("solver", sort=True):
        reached = int(found["seconds"].notna().sum())
        rows.append(
            [
                Cell(text=str(name), link=f"solvers/{slug(str(name))}/index.html"),
                Cell(text=titles.get(str(name), ABSENT)),
                Cell(text=f"{len(won(found)):,}"),
                Cell(text=f"{reached:,}"),
                Cell(text=f"{len(found):,}"),
            ]
        )
    heads = columns("solver", "title", "wins", "reached", "asked", text=2)
    caption = (
        "Every solver, with its page: at how many places it was asked, reached the gap, and won; a place is one "
        "instance and one gap in one run on one machine"
    )
    return _table("solvers", caption, heads, rows)


def won(times: pd.DataFrame) -> pd.DataFrame:
    return times[(times["verdict"] == "win") & (times["winner"] == times["competitor"])]


def lost(times: pd.DataFrame) -> pd.DataFrame:
    """Where it was asked and another was clearly faster, or reached the gap alone.

    Nobody was slower who was there at an unknown time before T, or had less time than the fastest took.
    """
    beaten = [
        row["winner"] != row["competitor"]
        and not (isinstance(row["level"], list) and row["competitor"] in row["level"])
        for row in times[["winner", "competitor", "level"]].to_dict("records")
    ]
    known = (~times["at_most"] | times["seconds"].isna()) & ~_had_less(times)
    return times[pd.Series(beaten, index=times.index, dtype=bool) & times["winner"].notna() & known]


def _had_less(times: pd.DataFrame) -> pd.Series:
    """Whether the time limit of a row is below the time of the fastest of its place (wins.given_less)."""
    rows = times[["given_less", "competitor"]].to_dict("records")
    had = [isinstance(row["given_less"], list) and row["competitor"] in row["given_less"] for row in rows]
    return pd.Series(had, index=times.index, dtype=bool)


#: What a time of the fastest is worth, by verdict (wins.winners).
_WORTH = {
    "win": "win",
    "level": "level with another",
    "run alone": "no win: with prepare another is faster",
    "walkover": "no win: no other was asked",
    "not comparable": "no win: a limit ended another within the gap",
    "other limits": "no win: another had less time",
}


def place_table(rows: pd.DataFrame, runs: Mapping[str, Run], name: str, caption: str) -> Table:
    """One row a time, beside that of the fastest of its place; the gap that most users ask for first."""
    first = preferred(rows["target"].unique())
    several = len(rows["hardware"].unique()) > 1
    rows = rows.assign(
        ratio=rows["seconds"] / rows["fastest"],
        later=rows["target"] != first,
        where=rows["hardware"].fillna("") if several else "",
    )
    rows = rows.sort_values(["later", "target", "instance", "run", "ratio"], ascending=[True, False, True, True, True])
    titles = ("instance", "solver", "run", "fastest", "gap", "seconds", "of the fastest", "times the fastest")
    cells = [_place_cells(row, runs) for row in rows.to_dict("records")]
    kept = rows.drop(columns=["level", "given_less", "later", "where"])
    return _table(name, caption, columns(*titles, text=4), cells, kept)


def _place_cells(row: Mapping[Any, Any], runs: Mapping[str, Run]) -> list[Cell]:
    reached = pd.notna(row["seconds"])
    return [
        Cell(text=row["instance"], link=f"../../families/{slug(row['family'])}/index.html"),
        Cell(text=row["competitor"]),
        Cell(text=row["run"], link=f"../../{runs[row['run']].folder}/report.html", note=row["where"]),
        Cell(text=row["winner"] if pd.notna(row["winner"]) else "nobody", note=_WORTH.get(row["verdict"], "")),
        Cell(text=power(row["target"])),
        Cell(text=seconds_of(row) if reached else "not reached", note=_limit(row), muted=not reached),
        Cell(text=bound(digits(row["fastest"]), AT_MOST if row["fastest_at_most"] is True else "")),
        Cell(text=_times_the_fastest(row) if reached else ABSENT),
    ]


def _limit(row: Mapping[Any, Any]) -> str:
    """The time limit, and what runs under another one say."""
    told = [f"limit {row['time_limit']:g} s"] if pd.notna(row["time_limit"]) else []
    return "\n".join([*told, *cut_of(row)])


def _times_the_fastest(row: Mapping[Any, Any]) -> str:
    """1 for the fastest; no factor is made of a time that is not known."""
    if row["at_most"] and row["winner"] != row["competitor"]:
        return NOT_COMPARABLE
    return bound(factor(row["ratio"]), AT_LEAST if row["fastest_at_most"] is True and row["ratio"] > 1 else "")


def _table(
    name: str, caption: str, heads: list[Column], rows: list[list[Cell]], frame: pd.DataFrame | None = None
) -> Table:
    """`frame`: the file, where it holds more than the texts of the page."""
    if frame is None:
        frame = pd.DataFrame([[cell.text for cell in row] for row in rows], columns=[head.title for head in heads])
    return Table(name=name, caption=caption, columns=heads, rows=rows, frame=frame)
