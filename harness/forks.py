"""Foreign code in a fork: what it reports before a deadline, and how it ended.

For a process that has never run such code itself and has no threads: the `python -m` modules of the harness.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from harness.isolation import processes

#: How a job reports a value of JSON.
Tell = Callable[[Any], None]
Job = Callable[[Tell], None]
#: Bytes read at once, and bytes that a job may report in all.
_CHUNK = 1 << 16
_MOST = 1 << 22
_INTERVAL = 0.02  # seconds between two checks of a process that reports nothing


class Fork:
    """`job` in a process of its own, without input and with its output thrown away."""

    def __init__(self, job: Job) -> None:
        self._read, write = os.pipe()
        self._output = b""
        self._code: int | None = None
        self._began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _become(job, write)
        os.close(write)
        os.set_blocking(self._read, False)

    def finish(self, seconds: float) -> tuple[list[Any], str]:
        """The values that it reported, and how it ended, "" where it ended well; its process group is gone then.

        seconds: the time from its start after which it is ended.
        """
        too_long = too_much = False
        while not self._ended() and not too_long and not too_much:
            select.select([self._read], [], [], _INTERVAL)
            too_much = not self._drain()
            too_long = time.monotonic() > self._began + seconds

        self._end()
        self._drain()
        os.close(self._read)

        values, raised = _values(self._output)
        if too_long:
            return values, f"it took more than {seconds:g} s"
        if too_much:
            return values, f"it reported more than {_MOST >> 20} MiB"
        return values, raised or _end_of(self._code)

    def _ended(self) -> bool:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code is not None

    def _drain(self) -> bool:
        """Read what is there; whether it is still within the limit."""
        with contextlib.suppress(BlockingIOError):
            while len(self._output) <= _MOST:
                data = os.read(self._read, _CHUNK)
                if not data:
                    break
                self._output += data
        return len(self._output) <= _MOST

    def _end(self) -> None:
        processes.signal_all([*processes.descendants(self.pid), self.pid] if self._code is None else [], signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        while not self._ended():
            time.sleep(_INTERVAL)


def _become(job: Job, write: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        processes.die_with_parent()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        job(lambda value: _send(write, {"value": value}))
        code = 0
    except BaseException as error:  # noqa: BLE001 - the last frame of the process: foreign code raises what it likes
        with contextlib.suppress(BaseException):
            _send(write, {"raised": f"{type(error).__name__}: {error}"[:1000]})
            code = 0
    finally:
        os._exit(code)


def _send(write: int, message: Any) -> None:
    content = json.dumps(message).encode() + b"\n"
    while content:
        content = content[os.write(write, content) :]


def _values(output: bytes) -> tuple[list[Any], str]:
    """The values, up to the first line that is none, and what was raised."""
    values: list[Any] = []
    for line in output.splitlines():
        try:
            message = json.loads(line)
            if "raised" in message:
                return values, str(message["raised"])
            values.append(message["value"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return values, "it reported something else than it was asked"
    return values, ""


def _end_of(code: int | None) -> str:
    if code == 0:
        return ""
    if code is not None and code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with exit status {code}"
