"""What the forked processes do: one holds an instance; of its children one solves a case, and another judges it."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness import bench, memory
from harness.answers import Plain, fingerprint
from harness.attempt import Measured, attempt, check_runnable, failure
from harness.case import Case
from harness.cores import take_cores
from harness.isolation import cgroup, delivery, held, processes
from harness.isolation.messages import Request
from harness.isolation.server import serve
from harness.isolation.steps import Step
from harness.isolation.wire import Line
from harness.outcome import outcome_of
from harness.plain import as_plain
from harness.solve import judge, require_unchanged
from instances import InputError
from instances.mapped import is_mapped
from solvers.registry import load


def hold_instance(body: Mapping[str, Any], line: Line) -> None:
    """Make the instance of a case, say so, and serve the cases on it; or say why it cannot be made."""
    if _make(Request.unpacked(body), line):
        processes.protect_memory()  # from what adapters in its children may try
        serve(line, _work)


def _make(request: Request, line: Line) -> bool:
    """Whether the instance is there; no frame holds it when this has returned."""
    _settle(request)
    line.send({"step": Step.GENERATE})
    try:
        lp, seconds = bench.make_instance(request.case)
        held.keep(lp)
    except (InputError, MemoryError) as error:
        refused = bench.refused(error)
        line.send({"result": {"failed": [refused.status, refused.reason]}})
        return False
    line.send({"result": {"made": seconds, "on_disk": is_mapped(lp.a)}})
    return True


def _work(body: Mapping[str, Any], line: Line, descriptor: int) -> None:
    """Solve the case, or judge the answer in `descriptor`."""
    request = Request.unpacked(body)
    if request.claim is None:
        processes.open_memory()
        _settle(request)
        line.send({"result": _solve(request.case, line, descriptor)})
    else:
        _settle(request)
        line.send({"step": Step.REFEREE})
        line.send({"result": _judge(request.case, request.claim, descriptor)})


def _solve(case: Case, line: Line, descriptor: int) -> dict[str, Any]:
    """What came of the case: a claim, whose arrays are in `descriptor`, or a failure."""
    arrays: list[delivery.Array] = []

    def tell(step: str) -> None:
        line.send({"step": step})

    def deliver(found: Plain) -> None:
        arrays.extend(delivery.write(found.answer, descriptor))
        tell(Step.CHECK)

    try:
        tell(Step.LOAD)
        solver = load(case.card)
        check_runnable(solver, case.settings)
        tell(Step.WARM_UP)
        bench.warm_up(case, bench.few_sources(held.instance().tightened, bench.WARM_UP_SOURCES), solver)
        memory.reset_peak()
        measured = Measured()
        lp = held.instance().tightened
        found = attempt(lp, solver, case.settings, measured, tell, deliver=deliver)
        peak = memory.peak()
        require_unchanged(held.print_before(), fingerprint(lp))
        claim: dict[str, Any] = as_plain(delivery.claim(found, arrays, peak=peak, disturbance=measured.disturbance))
        return claim
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the one border that turns whatever is raised into a row
        status, reason = failure(error)
        return {"failed": [str(status), reason], "peak": memory.peak()}


def _judge(case: Case, claim: Mapping[str, Any], descriptor: int) -> dict[str, Any]:
    """The outcome of the case in plain types, without its dual and its times."""
    lp = held.instance()
    result = judge(lp, delivery.read(claim, descriptor), case.settings)
    outcome: dict[str, Any] = as_plain(
        asdict(outcome_of(result, lp, keep_x=case.keep_x)) | {"dual": None, "seconds": None}
    )
    return outcome


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
