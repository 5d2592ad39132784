"""What the records say: the time of every solver to each certified gap.

Every figure here is derived from the referee's certificate and the harness's clock, never from a solver's own word.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pandas as pd

from harness.records import Status, least_runs
from reports.rankings import RANKING

TARGETS = (1e-2, 1e-4, 1e-6, 1e-8)
KEY = ["instance", "competitor"]
_ASKED = [*KEY, "tolerance"]


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
    at_most (whether a limit of the suite ended one of them: the solver was there at an unknown time before, and
    `seconds` is an upper bound), repeats, least and most (how many runs that median is of, and their range: no run is
    dropped), runs_asked (how many a time of that length asks for, records.least_runs; 1 for a run that ended at its
    time limit), time_limit (the longest that they were given, NaN without one), cut_at (the least seconds of further
    runs within the gap that another limit ended, see _whole_runs; NaN without any), alone (the least when what others
    took of the cores in disturbed runs is left out), prepare (median), disturbed and too_short (whether one of them
    was), violation (the largest that remains in a feasible point), near (whether a point is within tolerance of its
    rows, not known to be feasible).
    seconds_with_prepare: the minimum over tolerances of the median of prepare + run.
    best_gap: the smallest certified gap of any case.
    timed_out: whether the target was not reached, and the time limit ended a run; time_limit is then the longest.
    other_limit: whether time_limit is not that of most rows of its ranking, and might have made a difference.
    limit: what a failure counts in a mean, the time limit, or the longest time on record where there was no limit.
    """
    tried = cases[cases["status"] != "skipped"]
    disturbed = tried["disturbed"] != ""
    taken = (tried["other_load"].fillna(0.0) + tried["steal"].fillna(0.0)).clip(0.0, 1.0)
    tried = tried.assign(
        total=tried["prepare"].fillna(0.0) + tried["run"],
        disturbed=disturbed,
        at_limit=tried["status"] == str(Status.TIME_LIMIT),
        cut=cut(tried),
        alone=tried["run"] * (1.0 - taken.where(disturbed, 0.0)),
    )
    found = pd.concat([_at_target(tried, target) for target in targets(cases)], ignore_index=True)
    limits = found["time_limit"].fillna(math.inf)
    usual = limits.groupby([found[name] for name in RANKING]).transform(lambda rows: rows.mode().max())
    matters = found["seconds"].isna() | found["cut_at"].notna() | (found["seconds"] > usual)
    return found.assign(other_limit=(limits != usual) & matters)


def cut(cases: pd.DataFrame) -> pd.Series:
    """Whether a limit that the suite set ended a case; a solver that ends after iterations of its own choice is not."""
    at_iteration = (cases["status"] == str(Status.ITERATION_LIMIT)) & cases["iteration_limit"].notna()
    return (cases["status"] == str(Status.TIME_LIMIT)) | at_iteration


def _at_target(tried: pd.DataFrame, target: float) -> pd.DataFrame:
    pairs = tried.groupby(KEY, observed=True).agg(
        tightest=("tolerance", "min"),
        best_gap=("accuracy", "min"),
        limit=("time_limit", "max"),
        timed_out=("at_limit", "any"),
        machine=("machine", "first"),
        division=("division", "first"),
    )
    fastest = _time_to_gap(tried, target)
    pairs = pairs.join(fastest)
    pairs["runs_asked"] = pairs["seconds"].map(least_runs, na_action="ignore")
    pairs["runs_asked"] = pairs["runs_asked"].mask(pairs.pop("at_limit").isin([True]), 1)
    for mark in ("disturbed", "too_short", "at_most"):
        pairs[mark] = pairs[mark].isin([True])
    missed = pairs["seconds"].isna()
    pairs["timed_out"] &= missed
    pairs["time_limit"] = pairs["time_limit"].mask(missed, pairs["limit"])

    longest = tried[["time_limit", "run"]].max().max()
    pairs["limit"] = pairs["limit"].fillna(longest)
    pairs["asked"] = (pairs["tightest"] <= target) | pairs["seconds"].notna()
    pairs.insert(0, "target", target)
    return pairs.drop(columns="tightest").reset_index()


def _time_to_gap(tried: pd.DataFrame, target: float) -> pd.DataFrame:
    reached = tried[tried["accuracy"].between(0, target) & tried["run"].notna()]
    whole = _whole_runs(reached)
    asked = [reached[name] for name in _ASKED]
    cut_at = reached["run"].mask(whole).groupby(asked, observed=True, dropna=False).transform("min")
    by_tolerance = (
        reached.assign(cut_at=cut_at)[whole]
        .groupby(_ASKED, observed=True, dropna=False)
        .agg(
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
            at_most=("cut", "any"),
            time_limit=("time_limit", "max"),
            cut_at=("cut_at", "min"),
            violation=("feasible_violation", "max"),
            near=("near", "any"),
        )
    )
    by_solver = by_tolerance.sort_values(["seconds", "at_most"], kind="stable").groupby(KEY, observed=True)
    fastest = by_solver.nth(0).reset_index(level="tolerance", drop=True).drop(columns="total")
    return fastest.assign(seconds_with_prepare=by_solver["total"].min())


def _whole_runs(reached: pd.DataFrame) -> pd.Series:
    """Which runs a time is made of where one thing was run under several time limits.

    Those under limits that ended none of their repeats, where there are such; else those under the shortest limit. A
    run that 20 s ended is a bound on the time and no sample of what the same solver needs when it is given 60 s.
    """
    limits = reached["time_limit"].fillna(math.inf)
    asked = [reached[name] for name in _ASKED]
    cut_short = reached["cut"].groupby([*asked, limits], observed=True, dropna=False).transform("any")
    some_whole = (~cut_short).groupby(asked, observed=True, dropna=False).transform("any")
    shortest = limits == limits.groupby(asked, observed=True, dropna=False).transform("min")
    return (~cut_short).where(some_whole, shortest)


def contradictions(cases: pd.DataFrame) -> pd.Series:
    """Whether the bound of a case lies above its feasible objective: one of them is wrong, and nothing is reached."""
    return (cases["certified_gap"] < 0) | (cases["priced_gap"] < 0)
