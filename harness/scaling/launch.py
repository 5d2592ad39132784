"""Starts the ranks of a sharded case on this machine, as torchrun does, and says in one line what ended them."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.inherited import inherited, of_children
from harness.scaling.judge import CASE, RESULT
from harness.scaling.member import FAILURE, LOG
from harness.scaling.sharded import ShardedCase
from harness.scaling.standstill import ended_at_standstill
from instances import InputError
from solvers import Status

_LAST_WORDS = 300  # characters of a rank's output that may stand in a reason
_LOST = "another rank has ended"  # words of solvers.engine.collectives from a rank that lost another


@dataclass(frozen=True, kw_only=True)
class Launched:
    """The result of the ranks, or how they failed."""

    result: Mapping[str, Any] | None
    """Of harness.scaling.sharded; None where the ranks did not finish, and then the next two say why."""

    status: Status = Status.SOLVED
    """How they ended."""

    reason: str = ""
    """Why, in one line."""

    judged: Mapping[str, Any] | None = None
    """The referee's verdict on the result (harness.scaling.judge); None where it was not asked."""


Judge = Callable[[Path], Mapping[str, Any]]


def launch(case: ShardedCase, *, max_restarts: int = 0, judge: Judge | None = None) -> Launched:
    """Run `case` on as many processes of this machine as it has ranks. Raises InputError where the ranks refuse it.

    judge: asked when they have ended, with the folder that holds what they answered.
    """
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    folder = Path(tempfile.mkdtemp(prefix="dualbench-ranks-"))
    try:
        (folder / CASE).write_text(case.text)
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=case.ranks,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="127.0.0.1:0",
            local_addr="127.0.0.1",
            max_restarts=max_restarts,
            logs_specs=DefaultLogsSpecs(log_dir=str(folder / "logs")),
        )
        command = ["-m", "harness.scaling.member", str(folder / CASE), str(folder)]
        # the working folder may hold packages named as ours: it is not where ranks look for them
        environment = of_children(case.settings.threads) | {"PYTHONSAFEPATH": "1"}
        with inherited(environment), _quiet(), ended_at_standstill(case.timeout) as standstill:
            try:
                elastic_launch(config, sys.executable)(*command)
            except ChildFailedError as error:
                if standstill.reason:
                    return Launched(result=None, status=Status.CRASHED, reason=standstill.reason)
                return _failed(case, folder, error.failures)
            except SignalException as signalled:  # torch's own handlers take Ctrl-C and SIGTERM meanwhile
                raise KeyboardInterrupt from signalled
        result = json.loads((folder / RESULT).read_text())
        return Launched(result=result, judged=None if judge is None else judge(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _failed(case: ShardedCase, folder: Path, failures: Mapping[int, Any]) -> Launched:
    """The failure to report: of a rank that failed by itself, not of one that lost another rank."""
    failures_told = {rank: _told(folder, rank) for rank in range(case.ranks)}
    for rank, words in failures_told.items():
        if words.get("kind") == "input":
            raise InputError(f"rank {rank}: {words['text']}")
    for rank, words in failures_told.items():
        if words.get("kind") == "MemoryError":
            return Launched(result=None, status=Status.MEMORY_LIMIT, reason=f"rank {rank}: memory ran out")

    rank = _cause(failures_told, failures)
    if failures_told[rank]:
        return Launched(
            result=None, status=Status.CRASHED, reason=failures_told[rank].get("text", f"rank {rank} failed")
        )
    reason = f"rank {rank} of {case.ranks} {_end(failures[rank].exitcode, folder, rank)}"
    return Launched(result=None, status=Status.CRASHED, reason=reason)


def _cause(failures_told: Mapping[int, Mapping[str, str]], failures: Mapping[int, Any]) -> int:
    """The rank that failed by itself: one that died, else one that told a fault of its own, else one that torchrun or
    someone else ended with SIGTERM, else one that lost another; the first in time of each.
    """

    def order(rank: int) -> tuple[int, float, int]:
        words = failures_told[rank].get("text", "")
        failure = failures.get(rank)
        ended = failure is not None and failure.exitcode == -signal.SIGTERM
        kind = (2 if ended else 0) if not words else 3 if _LOST in words else 1
        return (kind, getattr(failure, "timestamp", 0) or 0, rank)

    return min((rank for rank in failures_told if failures_told[rank] or rank in failures), key=order)


def _end(exitcode: int, folder: Path, rank: int) -> str:
    if exitcode < 0:
        name = signal.Signals(-exitcode).name
        return f"was ended by {name}{' (memory may have run out)' if name == 'SIGKILL' else ''}"
    log = folder / LOG.format(rank)
    words = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f"ended with exit status {exitcode}{f': {words[-1][-_LAST_WORDS:]}' if words else ''}"


def _told(folder: Path, rank: int) -> dict[str, str]:
    file = folder / FAILURE.format(rank)
    return dict(json.loads(file.read_text())) if file.exists() else {}


@contextmanager
def _quiet() -> Iterator[None]:
    """The launcher's own reports of a failure are many lines; ours is one."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
