"""The row of a run over ranks, from what its ranks did and what the referee said.

Efficiency, against the smallest number of ranks R0 of the series whose ranks share nothing, t = seconds per iteration
(maximum over the ranks):  strong R0 t(R0) / (R t(R)),  weak t(R0) / t(R).  Ranks that share cores have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness import records
from harness.recording import thinned, utc_now
from harness.scaling.launch import Launched
from harness.scaling.model import curve, measured_speeds, seconds_per_iteration
from harness.scaling.sharded import ShardedCase, sharded_card
from instances import digest, parse_spec
from solvers import Status

DEFINITIONS = {
    "strong": "R0 t(R0) / (R t(R)), t seconds per iteration, the maximum over the ranks",
    "weak": "t(R0) / t(R), t seconds per iteration, the maximum over the ranks",
}


def scaling_record(
    mode: str, case: ShardedCase, launched: Launched, *, before: Sequence[Mapping[str, Any]], environment_id: str
) -> dict[str, Any]:
    """The row of one run (harness/scaling/row.py); `before`: the runs of the same series that have a row already."""
    spec = parse_spec(case.spec)
    solver = sharded_card(case.solver)
    row: dict[str, Any] = {
        "schema": records.SCHEMA,
        "kind": "scaling",
        "mode": mode,
        "spec": spec.text,
        "spec_hash": digest(spec),
        "family": spec.family,
        "sources": spec.sources,
        "destinations": spec.destinations,
        "solver": solver.id,
        "solver_version": solver.availability.version,
        "adapter_hash": solver.adapter_hash,
        "settings": asdict(case.settings),
        "ranks": case.ranks,
        "environment": environment_id,
        "time": utc_now(),
        "status": str(launched.status),
        "reason": launched.reason,
    }

    if launched.result is None or launched.judged is None:
        return row
    row |= _of_ranks(launched.result)
    row |= launched.judged
    row["seconds"] = _seconds(launched.result, solved=row["status"] == Status.SOLVED)
    row["shared"] = _shared(row["per_rank"], case.settings.threads)
    return row | _efficiency(row, before) | _model(row)


def _of_ranks(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the ranks say of themselves."""
    kept = ("edges", "digest", "iterations", "bytes_per_iteration", "wire", "notes", "checkpoints", "restarts")
    return {
        **{name: result[name] for name in (*kept, "raw_status", "per_rank")},
        "trace": _thinned(result["trace"]),
        "claim": result["status"],
    }


def _seconds(result: Mapping[str, Any], *, solved: bool) -> dict[str, Any]:
    """The maximum over the ranks of each step, and the time to the gap where the referee confirms the tolerance."""
    per_rank = result["per_rank"]
    seconds = {name: max(rank["seconds"][name] for rank in per_rank) for name in ("generate", "prepare", "run")}
    return {**seconds, "per_iteration": result["per_iteration"], "to_gap": seconds["run"] if solved else None}


def _thinned(trace: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Every k-th point and the last, as of any run (harness.recording)."""
    points = max(map(len, trace.values()), default=0)
    chosen = thinned(range(points))
    return {name: [values[k] for k in chosen] for name, values in trace.items()}


def _shared(per_rank: Sequence[Mapping[str, Any]], threads: int) -> bool:
    """Whether two ranks may run on the same core, or one has fewer cores than threads."""
    cores = [(rank["host"], core) for rank in per_rank for core in rank["cores"]]
    return len(cores) != len(set(cores)) or any(len(rank["cores"]) < threads for rank in per_rank)


def _efficiency(row: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    usable = [run for run in (*before, row) if run.get("shared") is False and run["seconds"]["per_iteration"]]
    seconds = row["seconds"]["per_iteration"]
    if row["shared"] or not seconds or not usable:
        return {"efficiency": None}
    base = min(usable, key=lambda run: run["ranks"])
    value = base["seconds"]["per_iteration"] / seconds
    if row["mode"] == "strong":
        value *= base["ranks"] / row["ranks"]
    return {"efficiency": {"value": value, "against_ranks": base["ranks"], "definition": DEFINITIONS[row["mode"]]}}


def _model(row: Mapping[str, Any]) -> dict[str, Any]:
    speeds = measured_speeds(row["per_rank"])
    seconds = row["seconds"]["per_iteration"]
    if speeds is None or not seconds:
        return {"model": None}

    edges = max(rank["edges"] for rank in row["per_rank"])
    size = row["bytes_per_iteration"]
    predicted = seconds_per_iteration(speeds, edges=edges, bytes_summed=size, ranks=row["ranks"])
    whole = row["edges"] if row["mode"] == "strong" else row["edges"] / row["ranks"]
    return {
        "model": {
            **asdict(speeds),
            "per_iteration": predicted,
            "error": predicted / seconds - 1,
            "curve": curve(speeds, mode=row["mode"], edges=whole, bytes_summed=size),
        }
    }
