"""What the forked processes do: one holds an instance; of its children one solves a case, and another judges it."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness import memory, worker
from harness.answers import Plain, fingerprint
from harness.attempt import Measured, attempt, check_runnable, failure
from harness.case import Case
from harness.cores import take_cores
from harness.instance_form import instance_form
from harness.isolation import delivery, held, processes
from harness.isolation.messages import Judged, Made, Request
from harness.isolation.server import serve
from harness.isolation.wire import Line
from harness.plain import as_plain
from harness.result import ArrayFacts, refused
from harness.solve import judge, require_unchanged
from harness.steps import Step
from instances import InputError, content_hash
from instances.mapped import is_mapped
from solvers.registry import load


def hold_instance(body: Mapping[str, Any], line: Line) -> None:
    """Make the instance of a case, say so, and serve the cases on it; or say why it cannot be made."""
    if _make(Request.unpacked(body), line):
        processes.protect_memory()  # from what adapters in its children may try
        serve(line, _work)


def _make(request: Request, line: Line) -> bool:
    """Whether the instance is there; no frame holds it when this has returned."""
    _take_place(request)
    line.send({"step": Step.GENERATE})
    try:
        lp, seconds = worker.make_instance(request.case)
        held.keep(lp)
    except (InputError, MemoryError) as error:
        result = refused(error)
        line.send({"result": {"failed": [result.status, result.reason]}})
        return False

    made = Made(
        seconds=seconds,
        on_disk=is_mapped(lp.c),
        edges=lp.edges,
        content_hash=content_hash(lp),
        form=asdict(instance_form(lp)),
    )
    line.send({"result": asdict(made)})
    return True


def _work(body: Mapping[str, Any], line: Line, descriptor: int) -> None:
    """Solve the case, or judge the answer in `descriptor`."""
    request = Request.unpacked(body)
    if request.claim is None:
        processes.open_memory()
        _take_place(request)
        line.send({"result": _solve(request.case, line, descriptor)})
    else:
        _take_place(request)
        line.send({"step": Step.REFEREE})
        line.send({"result": _judge(request.case, request.claim, descriptor)})


def _solve(case: Case, line: Line, descriptor: int) -> dict[str, Any]:
    """What came of the case: a claim, whose arrays are in `descriptor`, or a failure."""
    arrays: list[delivery.Array] = []

    def tell(step: Step) -> None:
        line.send({"step": step})

    def deliver(checked: Plain) -> None:
        arrays.extend(delivery.write(checked.answer, descriptor))
        tell(Step.CHECK)

    try:
        tell(Step.LOAD)
        solver = load(case.card)
        check_runnable(solver, case.settings, case.warm)
        tell(Step.WARM_UP)
        worker.warm_up(case, worker.few_sources(held.instance().tightened, worker.WARM_UP_SOURCES), solver)
        memory.reset_peak()
        measured = Measured()
        lp = held.instance().tightened
        checked = attempt(lp, solver, case.settings, measured, tell, deliver=deliver, start=case.warm)
        peak = memory.peak()
        require_unchanged(held.print_before(), fingerprint(lp))
        claim: dict[str, Any] = as_plain(delivery.claim(checked, arrays, peak=peak, disturbance=measured.disturbance))
        return claim
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the one border that turns whatever is raised into a row
        status, reason = failure(error)
        return {"failed": [str(status), reason], "peak": memory.peak()}


def _judge(case: Case, claim: Mapping[str, Any], descriptor: int) -> dict[str, Any]:
    """What the referee says, as a message."""
    lp = held.instance()
    result = judge(lp, delivery.read(claim, descriptor), case.settings, case.warm)
    facts = ArrayFacts.of(lp, result.answer, case.keep_x)
    judged = Judged(
        status=str(result.status),
        reason=result.reason,
        certificate={} if result.certificate is None else asdict(result.certificate),
        x_hash=facts.x_hash,
        x_kept=facts.x_kept,
        started=None if result.started is None else asdict(result.started),
    )
    message: dict[str, Any] = as_plain(asdict(judged))
    return message


def _take_place(request: Request) -> None:
    """The place of this process: cores, temporary files, limits."""
    threads = request.case.settings.threads
    take_cores(threads)
    os.environ["TMPDIR"] = tempfile.tempdir = request.folder
    processes.first_for_the_oom_killer()
    if request.allocated is not None:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        soft = request.allocated if hard == resource.RLIM_INFINITY else min(request.allocated, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
