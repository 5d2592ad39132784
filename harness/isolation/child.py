"""What the forked processes do: one holds an instance, the others run a case on it."""

from __future__ import annotations

import os
import resource
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from harness import bench
from harness.case import Case
from harness.cores import take_cores
from harness.isolation import cgroup, processes, server
from instances import InputError, MatchingLP

#: What a child tells when its work begins, and before it hands its outcome over.
START, ENDING = "start", "ending"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A case and the place to run it: its own temporary folder, its limits, and a cgroup where there is one."""

    case: Case
    folder: str
    allocated: int | None = None
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Made:
    """The instance is there; making it took so many seconds."""

    seconds: float


def hold_instance(request: Request, channel: Connection) -> None:
    """Make the instance of a case, say so, and serve the cases on it; an Outcome says why it cannot be made."""
    _settle(request)
    channel.send("generate")
    try:
        lp, seconds = bench.make_instance(request.case)
    except (InputError, MemoryError) as error:
        channel.send(bench.refused(error))
        return
    channel.send(Made(seconds=seconds))
    server.serve(channel, lambda wanted, to: _run(wanted, lp, to))


def _run(request: Request, lp: MatchingLP, channel: Connection) -> None:
    _settle(request)
    channel.send(START)
    outcome = bench.run_case(request.case, lp, channel.send)
    channel.send(ENDING)
    channel.send(outcome)


def _settle(request: Request) -> None:
    """The place of this process: cores, temporary files, limits."""
    threads = request.case.settings.threads
    take_cores(threads)
    os.environ["TMPDIR"] = tempfile.tempdir = request.folder
    processes.first_for_the_oom_killer()
    if request.group:
        cgroup.enter(Path(request.group))
    if request.allocated is not None:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        soft = request.allocated if hard == resource.RLIM_INFINITY else min(request.allocated, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
