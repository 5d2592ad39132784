"""What is counted over cases: claims, peak memory, who could not take an instance, and everything not solved."""

from __future__ import annotations

import pandas as pd

from reports.outcomes import KEY

CLAIMS = ("solved", "inaccurate")  # the solver said that it reached the tolerance


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
