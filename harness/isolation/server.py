"""Forking a process for each request: what the server process does, and each holder of an instance below it.

Every request is answered with a child in a process group of its own that does the job. The exit code is reported when
the child and everything that it started have ended. When the other end of the line goes away, they are ended.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from harness.isolation.processes import adopt_orphans, die_with_parent, end_children
from harness.isolation.wire import LOST, Line, ProtocolError

#: What a child does with a request: whom it tells, and the further descriptor that came with it, if any.
Job = Callable[..., None]
#: Seconds that what a child left running has to end after SIGTERM.
_GENTLE = 0.2


def serve(control: Line, job: Job) -> None:
    """Fork a child for each request on `control`, one at a time, until the other end is closed.

    A request comes with descriptors: the line that the child gets, where its output goes, and what the job needs.
    Answers: the id of the child at once, and its exit code when it has ended.
    """
    adopt_orphans()
    gc.collect()
    gc.freeze()  # a collection in a child would copy the pages that it shares with this process
    while True:
        try:
            request = control.receive(descriptors=True)
        except (*LOST, ProtocolError):
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_child(job, request.body, *request.descriptors)
        for descriptor in request.descriptors:
            os.close(descriptor)
        try:
            control.send({"pid": pid})
            code = _wait(pid, control)
            end_children(_GENTLE)
            control.send({"code": code})
        except OSError:
            end_children(_GENTLE)
            return


def _wait(pid: int, control: Line) -> int:
    """The exit code of the child; BrokenPipeError where the other end of `control` goes away first."""
    with _watched(pid) as ended:
        while True:
            ready = select.select([*ended, control], [], [], None if ended else 0.05)[0]
            if control in ready:
                raise BrokenPipeError
            if ready or not ended:
                ended_pid, status = os.waitpid(pid, os.WNOHANG)
                if ended_pid:
                    return os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def _watched(pid: int) -> Any:
    """A descriptor that becomes readable when `pid` ends, in a list; an empty list where the system has none."""
    if not hasattr(os, "pidfd_open"):
        yield []
        return
    descriptor = os.pidfd_open(pid)
    try:
        yield [descriptor]
    finally:
        os.close(descriptor)


def _become_child(job: Job, request: dict[str, Any], line: int, output: int, *others: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        die_with_parent()
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.close(output)
        job(request, Line.of(line), *others)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last frame of the process: it is printed, and the exit code tells
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)  # whatever threads a solver has left
