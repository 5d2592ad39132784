"""How often a target is reached, and shifted geometric means of the times, by solver and ranking."""

from __future__ import annotations

import math

import pandas as pd

from reports.profiles import comparable, shift_of, shifted_geometric_mean
from reports.rankings import rankings


def success(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row a target, ranking and competitor: instances asked and reached, and shifted geometric means of run time.

    common_mean: over the instances of `comparable`, common of them, a failure counting as its limit; not where a
    success took longer than that and was given more time. solved_mean: over those of them that all solvers solved,
    all_solved of them; solvers that reach less than half of the common ones are left aside, and have none; instances
    where a time is at_most are in the first alone. common_at_most: whether one of the times of common_mean is, so that
    the mean is an upper bound; common_scale_at_most: the same of the least mean. common_scaled, solved_scaled: the
    means, the least as 1. shift: of both, in seconds, the same for all competitors of a ranking at a target.
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
    shared = shared[~_unlike_limits(shared)]
    instances = list(shared["instance"].unique())
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
        table[f"{name}_scaled"] = mean / mean.where(mean > 0).min()
    table["shift"] = shift
    bounded = shared.groupby("competitor")["at_most"].any().reindex(table.index, fill_value=False)
    table["common_at_most"] = bounded
    table["common_scale_at_most"] = bool(bounded[table["common_scaled"] == 1.0].any())

    table.insert(0, "target", target)
    return table.reset_index()


def _unlike_limits(rows: pd.DataFrame) -> pd.Series:
    """Whether a failure on a row's instance would count for less than a success that was given more time."""
    place = rows["instance"].astype(str)
    least = rows["limit"].where(rows["seconds"].isna()).groupby(place).transform("min")
    given = rows["time_limit"].fillna(math.inf)
    return ((rows["seconds"] > least) & (given > least)).groupby(place).transform("any")


def _solved_by_all(shared: pd.DataFrame, common: int) -> pd.DataFrame:
    """The rows of the instances that all solved in known times, of solvers that solved half of the common ones."""
    reached = shared.dropna(subset="seconds")
    able = reached["competitor"].value_counts()
    able = able[able * 2 >= common]
    reached = reached[reached["competitor"].isin(able.index)]
    known = reached[~reached["at_most"]]
    by_all = known.groupby("instance", observed=True)["competitor"].nunique() == len(able)
    return reached[reached["instance"].isin(by_all.index[by_all])]


def common_times(outcomes: pd.DataFrame, target: float) -> pd.DataFrame:
    """seconds[instance, competitor] at one target, of one ranking, over what compares fairly (`comparable`).

    Instances on which a time is at_most are left out: a profile has no place for it. So are those of _unlike_limits.
    """
    rows = outcomes[(outcomes["target"] == target) & outcomes["asked"]]
    rows = rows[~rows.groupby("instance", observed=True)["at_most"].transform("any") & ~_unlike_limits(rows)]
    solvers, instances = comparable(_asked(rows))
    times = rows.pivot_table(index="instance", columns="competitor", values="seconds", dropna=False, observed=True)
    return times.reindex(index=instances, columns=solvers)


def _asked(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(rows["instance"].astype(str), rows["competitor"]) > 0
