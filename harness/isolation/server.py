"""The process that forks: `python -m harness.isolation.server DESCRIPTOR FOLDER`.

It answers every request with a child of its own process group that does the job, and reports the exit code when the
child and all that it started have ended. When the harness goes away, for whatever reason, it ends them and removes
FOLDER.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import shutil
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import Any, NoReturn

from harness.isolation.processes import adopt_orphans, die_with_parent, end_children

#: What a child does with a request, and whom it tells.
Job = Callable[[Any, Connection], None]
READY = "ready"
#: Slow to load and needed by most cases. Never highspy or OR-Tools, which exclude each other in one process.
_PRELOADED = (
    *("numba", "torch", "scipy.optimize", "scipy.sparse"),
    *("solvers.engine.cpu_jit", "solvers.engine.layout_jit", "solvers.engine.certificate_jit", "solvers.engine.cpu"),
    "solvers.proximal.passes_jit",
)
#: Seconds that what a child left running has to end after SIGTERM.
_GENTLE = 0.2


def main() -> None:
    from harness.isolation.child import hold_instance

    control, folder = Connection(int(sys.argv[1])), sys.argv[2]
    try:
        _preload()
        with contextlib.suppress(BrokenPipeError):  # the harness ended meanwhile
            control.send(READY)
            serve(control, hold_instance)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(control: Connection, job: Job) -> None:
    """Fork a child for each request on `control`, one at a time, until the other end is closed.

    A request comes with two descriptors: the channel that the child gets, and where its output goes.
    Answers: the id of the child at once, and its exit code when it has ended.
    """
    adopt_orphans()
    gc.collect()
    gc.freeze()  # a collection in a child would copy the pages that it shares with this process
    while True:
        try:
            request = control.recv()
            channel, output = recv_handle(control), recv_handle(control)
        except (EOFError, OSError):
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become_child(job, request, Connection(channel), output)
        os.close(channel)
        os.close(output)
        try:
            control.send(pid)
            code = _wait(pid, control)
            end_children(_GENTLE)
            control.send(code)
        except OSError:
            end_children(_GENTLE)
            return


def _wait(pid: int, control: Connection) -> int:
    """The exit code of the child; BrokenPipeError where the other end of `control` goes away first."""
    with _watched(pid) as ended:
        while True:
            ready = select.select([*ended, control], [], [], None if ended else 0.05)[0]
            if control in ready:
                raise BrokenPipeError
            if ready or not ended:
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
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


def _become_child(job: Job, request: Any, channel: Connection, output: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        die_with_parent()
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.close(output)
        job(request, channel)
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


def _preload() -> None:
    """Load the libraries, and what they set up with their first call, without starting a thread of theirs."""
    for name in _PRELOADED:
        with contextlib.suppress(Exception):  # a case that needs it says what is wrong with it
            importlib.import_module(name)
    numba, torch = sys.modules.get("numba"), sys.modules.get("torch")
    if numba is not None:
        numba.njit(lambda x: x + 1.0)(1.0)
    if torch is not None:
        torch.zeros(1).sum()


if __name__ == "__main__":
    main()
