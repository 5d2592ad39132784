"""What the records say: time to each certified gap, who wins, how often solvers succeed and are right.

Every figure here is derived from the referee's certificate and the harness's clock, never from a solver's own word.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from harness.records import Status, least_runs
from reports.profiles import comparable, shift_of, shifted_geometric_mean
from reports.rankings import RANKING, rankings

TARGETS = (1e-2, 1e-4, 1e-6, 1e-8)
CLAIMS = ("solved", "inaccurate")  # the solver said that it reached the tolerance
KEY = ["instance", "competitor"]
PLACE = ["target", "instance", *RANKING]
LEVEL = 1.1  # a smaller factor is no win: a single run may be a tenth too long without a mark (METHOD.md)


def targets(cases: pd.DataFrame) -> list[float]:
    """From the loosest to the tightest that somebody was asked for, by a tolerance between it and the next one."""
    tolerance = cases["tolerance"]
    steps = enumerate(pairwise((*TARGETS, 0.0)))
    asked = [k for k, (target, tighter) in steps if tolerance.between(tighter, target, inclusive="right").any()]
    return list(TARGETS[asked[0] : asked[-1] + 1] if asked else TARGETS)


def outcomes(cases: pd.DataFrame) -> pd.DataFrame:
    """One row a target, instance and competitor with a case that was tried.

    asked: it was run with that tolerance or a tighter one, or reached the target anyway.
    seconds: time to the certified gap, NaN where it was not reached: the minimum over tolerances asked of the median
    over repeats of `run` seconds, among the cases whose certified gap is at most the target. Of the same cases:
    repeats, least and most (how many runs that median is of, and their range: no run is dropped), runs_asked (how many
    a time of that length asks for, records.least_runs; 1 for a run that ended at its time limit), alone (the least when
    what others took of the cores in disturbed runs is left out), prepare (median), disturbed and too_short (whether one
    of them was),
    violation (the largest that remains in a feasible point), near (whether a point is within tolerance of its rows, not
    known to be feasible).
    seconds_with_prepare: the minimum over tolerances of the median of prepare + run.
    best_gap: the smallest certified gap of any case.
    limit: what a failure counts in a mean, the time limit, or the longest time on record where there was no limit.
    """
    tried = cases[cases["status"] != "skipped"]
    disturbed = tried["disturbed"] != ""
    taken = (tried["other_load"].fillna(0.0) + tried["steal"].fillna(0.0)).clip(0.0, 1.0)
    tried = tried.assign(
        total=tried["prepare"].fillna(0.0) + tried["run"],
        disturbed=disturbed,
        at_limit=tried["status"] == str(Status.TIME_LIMIT),
        alone=tried["run"] * (1.0 - taken.where(disturbed, 0.0)),
    )
    return pd.concat([_at_target(tried, target) for target in targets(cases)], ignore_index=True)


def _at_target(tried: pd.DataFrame, target: float) -> pd.DataFrame:
    pairs = tried.groupby(KEY, observed=True).agg(
        tightest=("tolerance", "min"),
        best_gap=("accuracy", "min"),
        limit=("time_limit", "max"),
        machine=("machine", "first"),
        division=("division", "first"),
    )
    fastest = _time_to_gap(tried, target)
    pairs = pairs.join(fastest)
    pairs["runs_asked"] = pairs["seconds"].map(least_runs, na_action="ignore")
    pairs["runs_asked"] = pairs["runs_asked"].mask(pairs.pop("at_limit").isin([True]), 1)
    for mark in ("disturbed", "too_short"):
        pairs[mark] = pairs[mark].isin([True])

    longest = tried[["time_limit", "run"]].max().max()
    pairs["limit"] = pairs["limit"].fillna(longest)
    pairs["asked"] = (pairs["tightest"] <= target) | pairs["seconds"].notna()
    pairs.insert(0, "target", target)
    return pairs.drop(columns="tightest").reset_index()


def _time_to_gap(tried: pd.DataFrame, target: float) -> pd.DataFrame:
    reached = tried[tried["accuracy"].between(0, target) & tried["run"].notna()]
    by_tolerance = reached.groupby([*KEY, "tolerance"], observed=True, dropna=False).agg(
        seconds=("run", "median"),
        repeats=("run", "size"),
        least=("run", "min"),
        alone=("alone", "min"),
        most=("run", "max"),
        prepare=("prepare", "median"),
        total=("total", "median"),
        disturbed=("disturbed", "any"),
        too_short=("too_short", "any"),
        at_limit=("at_limit", "all"),
        violation=("feasible_violation", "max"),
        near=("near", "any"),
    )
    by_solver = by_tolerance.sort_values("seconds", kind="stable").groupby(KEY, observed=True)
    fastest = by_solver.nth(0).reset_index(level="tolerance", drop=True).drop(columns="total")
    return fastest.assign(seconds_with_prepare=by_solver["total"].min())


def contradictions(cases: pd.DataFrame) -> pd.Series:
    """Whether the bound of a case lies above its feasible objective: one of them is wrong, and nothing is reached."""
    return (cases["certified_gap"] < 0) | (cases["priced_gap"] < 0)


def winners(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row a target, instance and ranking: who is fastest there, and whether that is a win.

    verdict: "win", over somebody asked for the same target who needs longer or does not reach it; "level", where the
    next one's times are not clearly longer; "run alone", where with_prepare, another, is faster when prepare counts;
    "walkover", where nobody else was asked; "none" of those asked reached it; "not asked". The winner's figures are
    those of `outcomes`; runner_up, its seconds and range, and the factor between the two are those of the next one.
    level: all who are level with the fastest. asked: the number of solvers that were asked for the target.
    """
    places = outcomes.dropna(subset="seconds").sort_values([*PLACE, "seconds", "competitor"])
    place = places.groupby(PLACE, observed=True).cumcount()
    figures = ["competitor", "seconds", "least", "most", "seconds_with_prepare"]
    first = places[place == 0].set_index(PLACE)
    second = places[place == 1].set_index(PLACE)[figures].rename(columns={"competitor": "solver"})
    best = first.drop(columns=["asked", "best_gap", "limit"]).join(second.add_prefix("runner_up_"))
    best = best.rename(columns={"competitor": "winner", "runner_up_solver": "runner_up"})
    best["factor"] = best["runner_up_seconds"] / best["seconds"].replace(0.0, np.nan)

    everything = outcomes.groupby(PLACE, observed=True).agg(best_gap=("best_gap", "min"), asked=("asked", "sum"))
    level = outcomes[level_with_fastest(outcomes)].groupby(PLACE, observed=True)["competitor"].agg(list)
    in_total = places.sort_values("seconds_with_prepare", kind="stable").drop_duplicates(PLACE).set_index(PLACE)
    rows = everything.join(best).join(level.rename("level")).join(in_total["competitor"].rename("with_prepare"))
    rows = rows.reset_index()
    return rows.assign(verdict=[_verdict(row) for row in rows.to_dict("records")])


def _verdict(row: Mapping[Any, Any]) -> str:
    if not row["asked"]:
        return "not asked"
    if pd.isna(row["winner"]):
        return "none"
    if row["asked"] == 1:
        return "walkover"
    if len(row["level"]) > 1:
        return "level"
    return "win" if row["with_prepare"] == row["winner"] else "run alone"


def level_with_fastest(outcomes: pd.DataFrame) -> pd.Series:
    """Whether a row's time is not clearly longer than the fastest of its target, instance and ranking.

    It is where the ranges of their repeats overlap, or the factor between them is below LEVEL. A disturbed time counts
    for no more than it may have been alone.
    """
    order = outcomes.sort_values("seconds", kind="stable", na_position="last")
    fastest = order.groupby(PLACE, observed=True)[["seconds", "most"]].transform("first").loc[outcomes.index]
    near = outcomes[["seconds", "alone"]].min(axis=1) <= LEVEL * fastest["seconds"]
    return (near | (outcomes["least"] <= fastest["most"])) & outcomes["seconds"].notna()


def success(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row a target, ranking and competitor: instances asked and reached, and shifted geometric means of run time.

    common_mean: over the instances of `comparable`, common of them, a failure counting as its limit. solved_mean: over
    those of them that all solvers solved, all_solved of them; solvers that reach less than half of the common ones are
    left aside, and have none. common_scaled, solved_scaled: the same, the fastest as 1. shift: of both, in seconds, the
    same for all competitors of a ranking at a target.
    """
    parts = [
        _success_at(rows, target)
        for target in outcomes["target"].unique()
        for _, rows in rankings(outcomes[outcomes["asked"] & (outcomes["target"] == target)])
    ]
    return pd.concat(parts, ignore_index=True)


def _success_at(outcomes: pd.DataFrame, target: float) -> pd.DataFrame:
    """Of the rows of one ranking."""
    outcomes = outcomes.assign(counted=outcomes["seconds"].fillna(outcomes["limit"]))
    solvers, instances = comparable(_asked(outcomes))
    shared = outcomes[outcomes["competitor"].isin(solvers) & outcomes["instance"].isin(instances)]
    by = outcomes.groupby("competitor")
    table = by.agg(
        machine=("machine", "first"),
        division=("division", "first"),
        asked=("asked", "size"),
        reached=("seconds", "count"),
    )
    shift = shift_of((shared if len(shared) else outcomes).groupby("instance", observed=True)["counted"].min())
    solved = _solved_by_all(shared, len(instances))
    for name, rows, number in (("common", shared, len(instances)), ("solved", solved, solved["instance"].nunique())):
        table["all_solved" if name == "solved" else name] = number
        mean = rows.groupby("competitor")["counted"].agg(shifted_geometric_mean, shift).reindex(table.index)
        table[f"{name}_mean"] = mean
        table[f"{name}_scaled"] = mean / mean.min()
    table["shift"] = shift

    table.insert(0, "target", target)
    return table.reset_index()


def _solved_by_all(shared: pd.DataFrame, common: int) -> pd.DataFrame:
    """The rows of the instances that every solver solved, of those who solved half of the common ones or more."""
    reached = shared.dropna(subset="seconds")
    able = reached["competitor"].value_counts()
    able = able[able * 2 >= common]
    reached = reached[reached["competitor"].isin(able.index)]
    by_all = reached.groupby("instance", observed=True)["competitor"].nunique() == len(able)
    return reached[reached["instance"].isin(by_all.index[by_all])]


def common_times(outcomes: pd.DataFrame, target: float) -> pd.DataFrame:
    """seconds[instance, competitor] at one target, of one ranking, over what compares fairly (`comparable`)."""
    rows = outcomes[(outcomes["target"] == target) & outcomes["asked"]]
    solvers, instances = comparable(_asked(rows))
    times = rows.pivot_table(index="instance", columns="competitor", values="seconds", dropna=False, observed=True)
    return times.reindex(index=instances, columns=solvers)


def _asked(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(rows["instance"].astype(str), rows["competitor"]) > 0


def claims(cases: pd.DataFrame) -> pd.DataFrame:
    """By competitor: number of cases of each status, claims, claims the referee confirmed, the worst overstatement."""
    counts = pd.crosstab(cases["competitor"], cases["status"])
    wrong = cases[cases["status"] == "inaccurate"]
    overstated = (wrong["accuracy"] / wrong["tolerance"]).groupby(wrong["competitor"]).max()
    claimed = counts.reindex(columns=list(CLAIMS), fill_value=0)
    return counts.assign(
        claims=claimed.sum(axis=1), confirmed=claimed["solved"], overstated=overstated.reindex(counts.index)
    )


def memory(cases: pd.DataFrame) -> pd.DataFrame:
    """Peak bytes of host and device by instance and competitor, the largest over its cases."""
    rows = cases.groupby(KEY, observed=True).agg(
        host=("host_memory", "max"), device=("device_memory", "max"), edges=("edges", "max")
    )
    return rows.dropna(subset=["host", "device"], how="all").reset_index()


def forms(cases: pd.DataFrame) -> pd.DataFrame:
    """What each instance is, in words, and not_taken: which solvers could not take it and why, one sentence each.

    A case that was skipped although its instance was made is one that the solver could not take.
    """
    refused = cases[(cases["status"] == "skipped") & cases["edges"].notna()]
    pairs = zip(refused["competitor"], refused["reason"], strict=True)
    lines = pd.Series([_refusal(solver, reason) for solver, reason in pairs], refused.index, dtype=str)
    not_taken = lines.groupby(refused["instance"]).agg(lambda of_instance: ". ".join(dict.fromkeys(of_instance)))
    told = cases[cases["instance_row_kinds"] != ""].drop_duplicates("instance").set_index("instance")
    parts = {part: told[f"instance_{part}"] for part in ("row_kinds", "families", "polytopes", "tightness")}
    return pd.DataFrame(parts | {"not_taken": not_taken}).fillna("").rename_axis("instance").reset_index()


def _refusal(solver: str, reason: str) -> str:
    """A reason that names its solver, once."""
    return reason if reason.startswith(f"{solver} ") else f"{solver}: {reason}"


def failures(cases: pd.DataFrame) -> pd.DataFrame:
    """Everything that is not solved, skipped cases last; cases that differ only in the repeat share a row."""
    rows = cases[cases["status"] != "solved"]
    rows = rows.assign(reason=_reasons(rows), tolerance=rows["tolerance"].fillna(-1.0))
    by = rows.groupby(["instance", "competitor", "tolerance", "status", "reason"], observed=True)
    table = by.agg(cases=("status", "size"), seconds=("run", "median"), certified_gap=("accuracy", "max"))
    table = table.reset_index().sort_values("status", key=lambda status: status == "skipped", kind="stable")
    return table.assign(tolerance=table["tolerance"].where(table["tolerance"] >= 0))


def _reasons(rows: pd.DataFrame) -> pd.Series:
    reason = rows["reason"].where(rows["reason"] != "", rows["certificate_reason"])
    return reason.where(reason != "", rows["raw_status"])
