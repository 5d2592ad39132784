"""What the records say: time to each certified gap, who wins, how often solvers succeed and are right.

Every figure here is derived from the referee's certificate and the harness's clock, never from a solver's own word.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from reports.profiles import comparable, shifted_geometric_mean

TARGETS = (1e-2, 1e-4, 1e-6, 1e-8)
CLAIMS = ("solved", "inaccurate")  # the solver said that it reached the tolerance
KEY = ["instance", "competitor"]


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
    over repeats of `run` seconds, among the cases whose certified gap is at most the target. repeats, least, most: how
    many runs that median is of, and their range.
    seconds_with_prepare: the same of prepare + run. disturbed: whether one of the repeats behind `seconds` was.
    best_gap: the smallest certified gap of any case.
    limit: what a failure counts in a mean, the time limit, or the longest time on record where there was no limit.
    """
    tried = cases[cases["status"] != "skipped"]
    tried = tried.assign(total=tried["prepare"].fillna(0.0) + tried["run"], disturbed=tried["disturbed"] != "")
    return pd.concat([_at_target(tried, target) for target in targets(cases)], ignore_index=True)


def _at_target(tried: pd.DataFrame, target: float) -> pd.DataFrame:
    pairs = tried.groupby(KEY, observed=True).agg(
        tightest=("tolerance", "min"), best_gap=("certified_gap", "min"), limit=("time_limit", "max")
    )
    fastest = _time_to_gap(tried, target)
    pairs = pairs.join(fastest)
    pairs["disturbed"] = pairs["disturbed"].isin([True])
    longest = tried[["time_limit", "run"]].max().max()
    pairs["limit"] = pairs["limit"].fillna(longest)
    pairs["asked"] = (pairs["tightest"] <= target) | pairs["seconds"].notna()
    pairs.insert(0, "target", target)
    return pairs.drop(columns="tightest").reset_index()


def _time_to_gap(tried: pd.DataFrame, target: float) -> pd.DataFrame:
    reached = tried[(tried["certified_gap"] <= target) & tried["run"].notna()]
    by_tolerance = reached.groupby([*KEY, "tolerance"], observed=True, dropna=False).agg(
        run=("run", "median"),
        repeats=("run", "size"),
        least=("run", "min"),
        most=("run", "max"),
        total=("total", "median"),
        disturbed=("disturbed", "any"),
    )
    return (
        by_tolerance.sort_values("run", kind="stable")
        .groupby(KEY, observed=True)
        .agg(
            seconds=("run", "first"),
            repeats=("repeats", "first"),
            least=("least", "first"),
            most=("most", "first"),
            seconds_with_prepare=("total", "min"),
            disturbed=("disturbed", "first"),
        )
    )


def winners(found: pd.DataFrame) -> pd.DataFrame:
    """One row a target and instance: winner, seconds, disturbed, runner_up and its seconds, factor; empty: none.

    asked: the number of solvers that were asked for the target.
    """
    places = found.dropna(subset="seconds").sort_values(["target", "instance", "seconds", "competitor"])
    place = places.groupby(["target", "instance"], observed=True).cumcount()
    columns = ["competitor", "seconds"]
    first = places[place == 0].set_index(["target", "instance"])[[*columns, "disturbed"]]
    second = places[place == 1].set_index(["target", "instance"])[columns]
    best = first.join(second.rename(columns={"competitor": "runner_up", "seconds": "runner_up_seconds"}))
    best = best.assign(factor=best["runner_up_seconds"] / best["seconds"].replace(0.0, np.nan))
    everything = found.groupby(["target", "instance"], observed=True).agg(
        best_gap=("best_gap", "min"), asked=("asked", "sum")
    )
    return everything.join(best.rename(columns={"competitor": "winner"})).reset_index()


def success(found: pd.DataFrame) -> pd.DataFrame:
    """One row a target and competitor: instances asked and reached, and shifted geometric means of run time.

    mean: over the instances it was asked; common_mean: over the instances of `comparable`, common of them.
    """
    return pd.concat([_success_at(found, target) for target in found["target"].unique()], ignore_index=True)


def _success_at(found: pd.DataFrame, target: float) -> pd.DataFrame:
    found = found[found["asked"] & (found["target"] == target)]
    found = found.assign(counted=found["seconds"].fillna(found["limit"]))
    solvers, instances = comparable(_asked(found))
    shared = found[found["competitor"].isin(solvers) & found["instance"].isin(instances)]
    by = found.groupby("competitor")
    table = by.agg(asked=("asked", "size"), reached=("seconds", "count"))
    table["mean"] = by["counted"].agg(shifted_geometric_mean)
    table["common"] = len(instances)
    table["common_mean"] = shared.groupby("competitor")["counted"].agg(shifted_geometric_mean)
    table.insert(0, "target", target)
    return table.reset_index()


def common_times(found: pd.DataFrame, target: float) -> pd.DataFrame:
    """seconds[instance, competitor] at one target over the solvers and instances that compare fairly."""
    rows = found[(found["target"] == target) & found["asked"]]
    solvers, instances = comparable(_asked(rows))
    times = rows.pivot_table(index="instance", columns="competitor", values="seconds", dropna=False, observed=True)
    return times.reindex(index=instances, columns=solvers)


def _asked(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.crosstab(rows["instance"].astype(str), rows["competitor"]) > 0


def claims(cases: pd.DataFrame) -> pd.DataFrame:
    """By competitor: number of cases of each status, claims, claims the referee confirmed, the worst overstatement."""
    counts = pd.crosstab(cases["competitor"], cases["status"])
    wrong = cases[cases["status"] == "inaccurate"]
    overstated = (wrong["certified_gap"] / wrong["tolerance"]).groupby(wrong["competitor"]).max()
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


def failures(cases: pd.DataFrame) -> pd.DataFrame:
    """Everything that is not solved, skipped cases last; cases that differ only in the repeat share a row."""
    rows = cases[cases["status"] != "solved"]
    rows = rows.assign(reason=_reasons(rows), tolerance=rows["tolerance"].fillna(-1.0))
    by = rows.groupby(["instance", "competitor", "tolerance", "status", "reason"], observed=True)
    table = by.agg(cases=("status", "size"), seconds=("run", "median"), certified_gap=("certified_gap", "max"))
    table = table.reset_index().sort_values("status", key=lambda status: status == "skipped", kind="stable")
    return table.assign(tolerance=table["tolerance"].where(table["tolerance"] >= 0))


def _reasons(rows: pd.DataFrame) -> pd.Series:
    reason = rows["reason"].where(rows["reason"] != "", rows["certificate_reason"])
    return reason.where(reason != "", rows["raw_status"])
