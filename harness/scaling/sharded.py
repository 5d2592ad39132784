"""One case solved by several ranks: what all of them are told, and what each of them does and reports."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import math
import os
import socket
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from harness import memory
from harness.cards import card, check_settings
from harness.clock import Stopwatch
from harness.cores import take_cores
from harness.scaling.assembled import assemble
from harness.scaling.passes import passes, seconds_of_sum
from harness.starts import require_start, started
from instances import InputError, MatchingLP, MatchingSpec, Spec, available_memory, in_blocks, parse_spec
from instances.content import hash_of_pieces
from instances.cpus import usable_cpus
from instances.mapped import default_cache
from instances.shards import load_part
from solvers import Answer, Settings, Start
from solvers.card import SolverCard
from solvers.engine.checkpoint import CheckpointStore
from solvers.engine.collectives import Communicator, agree, joined
from solvers.engine.context import SolveContext
from solvers.registry import load
from solvers.sharded import ShardedSolver

#: The probe of the speed of passes: several times the caches, with iterations in the type that such a tolerance takes.
_PROBE_EDGES = 4_000_000
_PROBE_PASSES = 20
_PROBE_TOLERANCE = 1e-7
_LARGE_MESSAGE = 1 << 20  # numbers of 8 bytes


@dataclass(frozen=True, kw_only=True)
class ShardedCase:
    """One instance, solver and settings on several ranks."""

    spec: str
    """The text that makes the instance."""

    solver: str
    """Its id, or the path of its file."""

    settings: Settings
    """What every rank is asked for; threads are those of one rank."""

    ranks: int
    """The number of ranks."""

    wire: str = "auto"
    """See reduce_dtype of SolveContext."""

    checkpoint: str | None = None
    """The folder of checkpoints; None without."""

    every: float | None = None
    """Seconds from one checkpoint to the next; None: see CheckpointStore."""

    resume: bool = False
    """Start from the newest checkpoint."""

    timeout: float = 300.0
    """Seconds that a collective may take."""

    probe: bool = True
    """Measure the speed of passes and of messages for the model."""

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> ShardedCase:
        values = json.loads(text)
        return cls(**{**values, "settings": Settings(**values["settings"])})


def sharded_card(solver_id: str) -> SolverCard:
    """The card of that solver, when it can work in ranks."""
    solver = card(solver_id)
    if not solver.in_ranks:
        raise InputError(f"{solver_id} works in one process only: use dualip, dualip-restarted or blockpdhg")
    return solver


def sharded_solver(solver_id: str) -> ShardedSolver:
    """The solver itself, for a process that runs it: its code is imported here."""
    solver = load(sharded_card(solver_id))
    assert isinstance(solver, ShardedSolver)
    return solver


def parts_on_disk(case: ShardedCase, neighbours: int) -> bool:
    """Whether the ranks keep their parts of the instance in files: the solver streams, and is told to or the memory
    that the `neighbours` on one machine share does not suffice.
    """
    spec = parse_spec(case.spec)
    solver = sharded_card(case.solver)
    settings = case.settings
    if not memory.may_stream(solver, spec, settings):
        return False
    check_settings(solver, settings)
    default = next((option.default for option in solver.options if option.name == "memory"), "ram")
    place = settings.options.get("memory", default)
    need = memory.memory_needed(solver, spec) / case.ranks
    return bool(place == "disk" or (place == "auto" and need > available_memory(neighbours)))


#: What ranks do together once they have solved: with the group, and on rank 0 the result.
Afterwards = Callable[[Communicator, Mapping[str, Any] | None], None]
#: Where ranks begin, once each has its part: with the group, the start of the sources of this rank.
Begin = Callable[[Communicator, MatchingLP], Start]


def take_part(
    case: ShardedCase,
    x_file: Path | None = None,
    afterwards: Afterwards | None = None,
    begin: Begin | None = None,
) -> Mapping[str, Any] | None:
    """Do this process's part. Returns the result on rank 0, None on the others.

    x_file: where rank 0 writes the x of all ranks; the result says under "x" why there is none. Every rank gives a
    file, or none does, and likewise what they do `afterwards`, and where they begin: with the same parts of a start.
    """
    threads = case.settings.threads
    cores = _take_cores(threads)
    kind = case.settings.device.partition(":")[0]
    with joined(kind, case.timeout) as group:
        agree(group, "the case, or a version of it,", [case.text, _versions()])
        if group.size != case.ranks:
            raise InputError(f"the case is for {case.ranks} ranks, {group.size} were started")
        facts, whole = _solve(case, group, x_file, begin)
        per_rank = group.gather({"host": socket.gethostname(), "cores": cores, **facts})
        restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
        result = {**whole, "per_rank": per_rank, "restarts": restarts} if group.rank == 0 else None
        if afterwards is not None:
            afterwards(group, result)
        return result


def _solve(
    case: ShardedCase, group: Communicator, x_file: Path | None, begin: Begin | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What this rank did, and what is alike on all ranks."""
    spec = parse_spec(case.spec)
    solver = sharded_solver(case.solver)
    settings = _settings(case, group)
    stopwatch = Stopwatch(settings.device)
    memory.reset_peak()
    on_disk = group.max(np.array([float(parts_on_disk(case, group.neighbours))]))[0] > 0
    folder = default_cache() if on_disk else None
    part = load_part(spec, group.rank, group.size, group.sum, threads=settings.threads, folder=folder)
    seconds = {"generate": stopwatch.lap()}

    start = None
    if begin is not None:
        start = begin(group, part.lp)
        require_start(solver, settings, start)
        seconds["start"] = stopwatch.lap()

    digest = hash_of_pieces([d for of_rank in group.gather(part.digests()) for d in of_rank], part.lp)
    edges = int(group.sum(np.array([part.lp.edges]))[0])
    checkpoints = _checkpoints(case, group, part.lp.edges, digest)
    context = SolveContext(group, reduce_dtype=case.wire, checkpoints=checkpoints)

    stopwatch.lap()
    state = solver.prepare(part.lp, settings, context)
    seconds["prepare"] = stopwatch.lap()
    answer = solver.run(started(solver, state, start, part.lp))
    seconds["run"] = stopwatch.lap()

    peak = memory.peak()
    lp = part.lp
    steps = passes(context, group)
    agree(
        group, "the dual at the end", None if answer.dual is None else hashlib.sha256(answer.dual.tobytes()).hexdigest()
    )

    whole = _whole(case, answer, context, lp) | {"edges": edges, "digest": digest, "iterations": answer.iterations}
    whole["x"] = "x was not asked for" if x_file is None else assemble(group, answer.x, lp.edges, x_file)
    whole |= {"passes": len(context.steps), "per_iteration": steps.pop("per_iteration")}

    del state, part
    gc.collect()
    speeds = _speeds(case, group, lp) if case.probe else {}
    return {"edges": lp.edges, "seconds": seconds, "peak_memory": peak, **steps, **speeds}, whole


def _whole(case: ShardedCase, answer: Answer, context: SolveContext, lp: MatchingLP) -> dict[str, Any]:
    notes = [] if context.checkpoints is None else context.checkpoints.notes
    return {
        "status": str(answer.status),
        "raw_status": answer.raw_status,
        "certificate": context.certificate,
        "bytes_per_iteration": context.packed_bytes(lp.row_count, case.settings),
        "wire": context.reduce_dtype(case.settings),
        "notes": notes,
        "checkpoints": 0 if context.checkpoints is None else context.checkpoints.saved,
        "dual": None if answer.dual is None else answer.dual.tolist(),
        "ray": None if answer.ray is None else answer.ray.tolist(),
        "trace": {k: [getattr(p, k) for p in answer.trace] for k in ("seconds", "iteration", "gap")},
    }


def _speeds(case: ShardedCase, group: Communicator, lp: MatchingLP) -> dict[str, float | None]:
    """For the model: edges a second of this rank's passes on an instance of its own, and what messages cost."""
    group.gather(None)  # all ranks measure at once: they may share a memory bus
    rate = edges_per_second(case.solver, _settings(case, group), parse_spec(case.spec), most=lp.edges)
    latency = seconds_of_sum(group, 1)
    large = seconds_of_sum(group, _LARGE_MESSAGE)
    if latency is None or large is None:
        return {"edges_per_second": rate, "latency": None, "bytes_per_second": None}
    moved = 8 * _LARGE_MESSAGE * 2 * (group.size - 1) / group.size
    return {"edges_per_second": rate, "latency": latency, "bytes_per_second": moved / max(large - latency, 1e-9)}


def edges_per_second(solver: str, settings: Settings, spec: Spec, *, most: int = _PROBE_EDGES) -> float:
    """Of the passes of `solver` on one rank, on an instance of the family of `spec` (of `dualip` where that is not made
    in blocks), with its destinations and degree and up to `most` edges.
    """
    degree = min(spec.expected_edges / max(1, spec.sources), float(spec.destinations))
    sources = math.ceil(min(_PROBE_EDGES, max(most, 1000)) / max(degree, 1e-3))
    kind = spec.family if in_blocks(spec) else "dualip"
    probe = MatchingSpec(family=kind, sources=sources, destinations=spec.destinations, degree=degree)
    lp = load_part(probe, 0, 1, lambda load: load, threads=settings.threads).lp
    alone = SolveContext()
    probed = sharded_solver(solver)
    tolerance = min(_PROBE_TOLERANCE, settings.tolerance)
    limited = dataclasses.replace(settings, iteration_limit=_PROBE_PASSES, time_limit=None, tolerance=tolerance)
    probed.run(probed.prepare(lp, limited, alone))
    return lp.edges / statistics.median(step for step, _ in alone.steps[1:])


def _checkpoints(case: ShardedCase, group: Communicator, edges: int, digest: str) -> CheckpointStore | None:
    if case.checkpoint is None:
        return None
    settings = case.settings
    identity = {
        "instance": digest,
        "solver": case.solver,
        "dtype": settings.dtype,
        "options": json.dumps(dict(settings.options), sort_keys=True),
    }
    resume = case.resume or int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
    return CheckpointStore(
        Path(case.checkpoint), group, identity=identity, edges=edges, every=case.every, resume=resume
    )


def _settings(case: ShardedCase, group: Communicator) -> Settings:
    """The settings of this rank: on CUDA its own device."""
    if case.settings.device.partition(":")[0] != "cuda" or group.size == 1:
        return case.settings
    return dataclasses.replace(case.settings, device=f"cuda:{os.environ.get('LOCAL_RANK', '0')}")


def _take_cores(threads: int) -> list[int]:
    """The cores of this rank alone, where the machine has enough for all its ranks; else all of them, shared."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    usable = usable_cpus()
    ranks = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return take_cores(threads) if ranks * threads <= len(usable) else usable


def _versions() -> dict[str, str]:
    return {package: metadata.version(package) for package in ("dualbench", "numba", "numpy", "torch")}
