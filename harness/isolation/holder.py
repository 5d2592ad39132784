"""The processes above the cases: the server, and the holder of an instance below it, seen from the harness."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.case import Case
from harness.inherited import of_children
from harness.isolation import processes
from harness.isolation.forked import Forked
from harness.isolation.limits import Limits
from harness.isolation.messages import Made, Request
from harness.isolation.output import Output, last_words
from harness.isolation.watch import Watch
from harness.isolation.wire import LOST, Line, ProtocolError, ServerError
from harness.result import Result
from harness.steps import OF_HOLDER, OnStep
from solvers import Status

#: Seconds between the gentle end and the hard one where the harness itself ends.
HURRIED = 0.3
#: Seconds that loading the libraries may take on a slow disk.
_LOADING = 600.0


def try_servers() -> None:
    """Start a server and end it again; ServerError where it cannot start."""
    Server(threads=1).stop()


class Holder:
    """The process that holds an instance.

    made: what it says of the instance; failure: why there is none. folder: for temporary files of its cases.
    """

    def __init__(self, case: Case, server: Server, log: Path, limits: Limits) -> None:
        self.spec = case.spec
        self.folder = server.folder
        self.made: Made | None = None
        self.failure: Result | None = None
        request = Request(case=case, folder=str(server.folder))
        output = Output(log, case.spec)
        self.forked = Forked(server.control, server.process.pid, request.packed(), output, limits.reply)

    def make(self, case: Case, limits: Limits, tick: OnStep) -> None:
        """Wait until the instance is made, or cannot be."""
        message = Watch(case, self.forked, limits, OF_HOLDER).result(tick, to_the_end=False)
        if isinstance(message, Result):
            self.failure = message
        elif "failed" in message:
            status, reason = message["failed"]
            self.failure = Result(status=Status(status), reason=reason)
        else:
            self.made = Made(**message)

    @property
    def answers(self) -> bool:
        """Whether it is there and has not been stopped by a signal."""
        return self.failure is not None or not processes.is_stopped(self.forked.pid)

    def stop(self) -> None:
        """End it, the gentle way by closing its line."""
        self.forked.line.close()
        if not self.forked.ended_within(HURRIED):
            with contextlib.suppress(*LOST):
                self.forked.end(HURRIED)
        self.forked.close()


class Server:
    """The server process, and the folder for temporary files of everything below it."""

    def __init__(self, threads: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dualbench-"))
        self.control, theirs = Line.pair()
        # -P: a working folder with packages named as ours is not where they are looked for
        command = [sys.executable, "-P", "-m", "harness.isolation", str(theirs.fileno()), str(self.folder)]
        with tempfile.TemporaryFile() as output:
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own module
                    command,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **of_children(threads)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C reaches the harness alone
                )
                theirs.close()
                self.control.receive(_LOADING)
            except (OSError, EOFError, ProtocolError) as error:
                self.control.close()
                self._end()
                output.seek(0)
                words = last_words(output.read()) or str(error) or type(error).__name__
                raise ServerError(f"the server process of the cases cannot start: {words}") from error

    def stop(self) -> None:
        """It ends by itself when the harness goes away; what takes too long is killed."""
        self.control.close()
        self._end()

    def _end(self) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self, "process", None)
        if process is not None:
            try:
                process.wait(HURRIED)
            except subprocess.TimeoutExpired:
                processes.signal_all([*processes.descendants(process.pid), process.pid], signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
