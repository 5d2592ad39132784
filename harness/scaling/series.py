"""Strong and weak scaling: the same case on 1, 2, 4, ... ranks, one record of kind "scaling" a run.

Efficiency, against the smallest number of ranks R0 of the series whose ranks share nothing, t = seconds per iteration
(maximum over the ranks):  strong R0 t(R0) / (R t(R)),  weak t(R0) / t(R).  Ranks that share cores have none.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import records
from harness.environment import environment
from harness.folder import locked, save_dual
from harness.recording import thinned, utc_now
from harness.scaling.judge import CASE, RESULT, X, judged
from harness.scaling.launch import Judge, Launched, launch
from harness.scaling.model import curve, measured_speeds, seconds_per_iteration
from harness.scaling.sharded import ShardedCase, parts_on_disk, sharded_card, take_part
from instances import InputError, MatchingSpec, digest, parse_spec
from instances.shards import require_parts
from solvers import Status
from solvers.engine.collectives import RankLostError

_MOST_RANKS = 65_536
DEFINITIONS = {
    "strong": "R0 t(R0) / (R t(R)), t seconds per iteration, the maximum over the ranks",
    "weak": "t(R0) / t(R), t seconds per iteration, the maximum over the ranks",
}


@dataclass(frozen=True, kw_only=True)
class Series:
    """`case` as it is on one rank; its `ranks` is replaced by each of `ranks` in turn."""

    case: ShardedCase
    mode: str
    ranks: tuple[int, ...]
    max_restarts: int = 0

    def __post_init__(self) -> None:
        if self.mode not in DEFINITIONS:
            raise InputError(f"mode={self.mode!r}: expected {' or '.join(DEFINITIONS)}")
        if not self.ranks or min(self.ranks) < 1 or max(self.ranks) > _MOST_RANKS:
            raise InputError(f"--ranks: expected whole numbers from 1 to {_MOST_RANKS}, such as 1,2,4")
        sharded_card(self.case.solver)
        for ranks in self.ranks:
            case, neighbours = self.at(ranks), int(os.environ.get("LOCAL_WORLD_SIZE", str(ranks)))
            on_disk = parts_on_disk(case, neighbours)
            require_parts(parse_spec(case.spec), ranks, neighbours=neighbours, on_disk=on_disk)

    def at(self, ranks: int) -> ShardedCase:
        """The case on `ranks` ranks: the same instance (strong), or `ranks` times the sources (weak)."""
        spec = parse_spec(self.case.spec)
        if self.mode == "weak":
            if not isinstance(spec, MatchingSpec):
                raise InputError(f"{spec.text} cannot grow with the ranks: use --mode strong or a generated family")
            spec = dataclasses.replace(spec, sources=spec.sources * ranks)
        return dataclasses.replace(self.case, spec=spec.text, ranks=ranks)


def run_series(series: Series, out: Path) -> Iterator[Mapping[str, Any]]:
    """Run one number of ranks after another; each record is on the disk when it is yielded."""
    with locked(out):
        place = environment()
        records.append(out / records.RECORDS_FILE, place)
        done: list[Mapping[str, Any]] = []
        for ranks in sorted(set(series.ranks)):
            case = series.at(ranks)
            launched = launch(case, max_restarts=series.max_restarts, judge=_judge(case))
            row = scaling_record(series.mode, case, launched, before=done, environment_id=place["id"])
            row |= _keep_dual(out, row, launched)
            records.append(out / records.RECORDS_FILE, row)
            done.append(row)
            yield row


def record_joined(case: ShardedCase, mode: str, out: Path) -> Mapping[str, Any] | None:
    """Take part as one rank of the rendezvous that torchrun made; the record on rank 0.

    None on the others, or status and reason where the group was lost.
    """
    ranks = int(os.environ["WORLD_SIZE"])
    case = Series(case=case, mode=mode, ranks=(ranks,)).at(ranks)
    if int(os.environ["RANK"]) != 0:
        ended = _take_part(case, Path(os.devnull))
        return None if ended.status is Status.SOLVED else {"status": str(ended.status), "reason": ended.reason}
    with locked(out), tempfile.TemporaryDirectory(prefix="dualbench-ranks-") as folder:
        ended = _take_part(case, Path(folder) / X)
        if ended.result is not None:
            (Path(folder) / CASE).write_text(case.text)
            (Path(folder) / RESULT).write_text(json.dumps(ended.result))
            ended = dataclasses.replace(ended, judged=_judge(case)(Path(folder)))
        place = environment()
        row = scaling_record(mode, case, ended, before=(), environment_id=place["id"])
        row |= _keep_dual(out, row, ended)
        records.append(out / records.RECORDS_FILE, place)
        records.append(out / records.RECORDS_FILE, row)
    return row


def _judge(case: ShardedCase) -> Judge:
    """The referee with as many threads as the ranks had together on this machine."""
    ranks = int(os.environ.get("LOCAL_WORLD_SIZE", str(case.ranks)))
    return lambda folder: judged(folder, max(1, min(ranks * case.settings.threads, os.cpu_count() or 1)))


def _take_part(case: ShardedCase, x_file: Path) -> Launched:
    try:
        return Launched(result=take_part(case, x_file))
    except RankLostError as error:
        return Launched(result=None, status=Status.CRASHED, reason=str(error))


def scaling_record(
    mode: str, case: ShardedCase, launched: Launched, *, before: Sequence[Mapping[str, Any]], environment_id: str
) -> dict[str, Any]:
    """The row of one run. seconds: maxima over the ranks; per_iteration, compute, communication and waiting as in
    harness.scaling.sharded; to_gap: of the run that proved the tolerance. model: what harness.scaling.model predicts
    from the speeds that this run measured, error relative to per_iteration. shared: ranks had to share cores.
    status, reason and certificate are the referee's, as of any run; claim: the status that the solver gave itself.
    """
    spec, solver = parse_spec(case.spec), sharded_card(case.solver)
    row: dict[str, Any] = {
        "schema": records.SCHEMA, "kind": "scaling", "mode": mode, "spec": spec.text, "spec_hash": digest(spec),
        "family": spec.family, "sources": spec.sources, "destinations": spec.destinations,
        "solver": solver.id, "solver_version": solver.availability.version, "settings": asdict(case.settings),
        "adapter_hash": solver.adapter_hash, "ranks": case.ranks, "environment": environment_id,
        "time": utc_now(),
        "status": str(launched.status), "reason": launched.reason,
    }  # fmt: skip
    result, found = launched.result, launched.judged
    if result is None or found is None:
        return row
    kept = ("edges", "digest", "iterations", "bytes_per_iteration", "wire", "notes", "checkpoints")
    row |= {name: result[name] for name in (*kept, "restarts", "raw_status", "per_rank")}
    row |= {"trace": _thinned(result["trace"]), "claim": result["status"], **found}
    per_rank = result["per_rank"]
    row["seconds"] = {k: max(rank["seconds"][k] for rank in per_rank) for k in ("generate", "prepare", "run")}
    row["seconds"] |= {"per_iteration": result["per_iteration"]}
    row["seconds"]["to_gap"] = row["seconds"]["run"] if row["status"] == "solved" else None
    row["shared"] = _shared(per_rank, case.settings.threads)
    return row | _efficiency(row, before) | _model(row)


def _thinned(trace: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Every k-th point and the last, as of any run (harness.recording)."""
    points = max(map(len, trace.values()), default=0)
    chosen = thinned(range(points))
    return {name: [values[k] for k in chosen] for name, values in trace.items()}


def _keep_dual(out: Path, row: Mapping[str, Any], launched: Launched) -> dict[str, str]:
    """The dual beside the records, float64 .npy, so that anyone can derive the bound again."""
    key = json.dumps([row[name] for name in ("spec", "solver", "settings", "ranks", "time")])
    name = save_dual(out, key, None if launched.result is None else launched.result["dual"])
    return {} if name is None else {"dual_file": name}


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
    speeds, seconds = measured_speeds(row["per_rank"]), row["seconds"]["per_iteration"]
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
