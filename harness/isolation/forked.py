"""A process that a server forked, seen from the harness: its messages, its output, its memory and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import wait
from typing import Any

from harness.isolation import processes
from harness.isolation.output import Output
from harness.isolation.segments import Segments
from harness.isolation.wire import LOST, Line, Message, ProtocolError

_CHUNK = 1 << 16
_STUCK = 5.0  # seconds that a process may take to end after SIGKILL
#: Finding the processes of a case reads all of /proc, which may take this share of one core.
_SHARE = 0.005


class Forked:
    """One child of the server `server_pid`, from the request to its end.

    line: messages from the child, and to it where it is a server itself. pid: its id. code: its exit code, None
    while it lives. peak: the most bytes that it and its descendants were seen to hold. alone: whether it never had any.
    """

    def __init__(
        self, server: Line, server_pid: int, request: Mapping[str, Any], output: Output, reply: float, *files: int
    ) -> None:
        """`files` go to the child with the request; the server has `reply` seconds to answer, TimeoutError else."""
        self._server = server
        self._server_pid = server_pid
        self._output = output
        self._segments = Segments()

        self.line, theirs = Line.pair()
        self._read, write = os.pipe()
        try:
            server.send(request, (theirs.fileno(), write, *files))
            self.pid = int(server.receive(reply).body["pid"])
        except BaseException:
            self.line.close()
            os.close(self._read)
            raise
        finally:
            theirs.close()
            os.close(write)

        self.code: int | None = None
        self.peak = 0
        self.alone = True
        self._pids: list[int] = [self.pid]
        self._listed_until = 0.0

    def messages(self, timeout: float, *, listen: bool = False) -> Iterator[Message]:
        """The messages of the child, after `timeout` seconds or when it ends; its output goes to the log meanwhile.

        listen: return at the first message. Otherwise this process does not wake up when a step begins, perhaps on the
        core of the solver; the kernel stamps the message with the time. Raises ProtocolError for invalid messages.
        """
        sources: list[Any] = [self._server]
        if listen and not self.line.closed:
            sources.append(self.line)
        if self._read >= 0:
            sources.append(self._read)
        ready: list[Any] = wait(sources, timeout)
        if self._read in ready:
            self._drain()
        if self._server in ready:
            self.code = int(self._server.receive(0.0).body["code"])
        yield from self._received()

    def cpu_seconds(self) -> float:
        """CPU seconds of the child and of what it started, ended or not, as far as `sample_memory` has seen it."""
        return processes.cpu_seconds(self._server_pid, {self.pid, *self._pids})

    def sample_memory(self) -> int:
        """Bytes that the child and its descendants hold now."""
        began = time.monotonic()
        if began > self._listed_until:
            self._pids = processes.descendants(self._server_pid)
            self._segments.sample(self._pids)
            ended = time.monotonic()
            self._listed_until = ended + max(0.1, (ended - began) / _SHARE)
        elif self._segments.appeared:
            # The next list of processes may be seconds away on a busy machine: the maker could be gone by then.
            self._segments.sample(self._pids)
        held = processes.resident(self._pids)
        self.peak = max(self.peak, held)
        self.alone = self.alone and len(self._pids) < 2
        return held

    def held_exactly(self) -> int:
        """The same, with a page that processes share counted once."""
        return processes.proportional(self._pids) or processes.resident(self._pids)

    def end(self, gentle: float) -> None:
        """End it and what it started: SIGTERM, and SIGKILL after `gentle` seconds.

        Raises ConnectionError where the server is gone, or a process cannot even be killed (stuck in a driver).
        """
        for number, seconds in ((signal.SIGTERM, gentle), (signal.SIGKILL, _STUCK)):
            if self.code is not None:
                return
            pids = [self.pid, *processes.descendants(self._server_pid)]
            self._segments.sample(pids)
            processes.signal_all(pids, number)
            if self.ended_within(seconds):
                return
        raise ConnectionAbortedError

    def ended_within(self, seconds: float) -> bool:
        """Whether it ends by itself in so many seconds."""
        until = time.monotonic() + seconds
        try:
            while self.code is None and time.monotonic() < until:
                with contextlib.suppress(ProtocolError):  # a message no longer matters
                    list(self.messages(until - time.monotonic()))
        except LOST:
            return False
        return self.code is not None

    @property
    def last_words(self) -> str:
        """The last line that it printed."""
        return self._output.last_words

    def close(self) -> None:
        """Close its line and output, and remove the shared memory that it left."""
        if self._read >= 0:
            os.set_blocking(self._read, False)
            self._drain()
        if self._read >= 0:
            os.close(self._read)
            self._read = -1
        self.line.close()
        self._output.close()
        self._segments.remove()

    def _received(self) -> Iterator[Message]:
        """All messages that are there."""
        try:
            while not self.line.closed:
                yield self.line.receive(0.0)
        except TimeoutError:
            return
        except LOST:
            self.line.close()

    def _drain(self) -> None:
        """Read what is printed, a pipe full at most; close at its end."""
        try:
            data = os.read(self._read, _CHUNK)
        except BlockingIOError:
            return
        self._output.write(data)
        if not data:
            os.close(self._read)
            self._read = -1
