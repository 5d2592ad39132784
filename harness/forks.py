"""Foreign code in a fork: what it tells before a deadline, and how it ended where that is not of its own accord.

For a process that has never run such code itself and has no thread: `python -m` modules of the harness.
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

#: What a job tells: values of JSON.
Tell = Callable[[Any], None]
Job = Callable[[Tell], None]
_CHUNK = 1 << 16
_MOST = 1 << 22
_LOOK = 0.02  # seconds between looks at a process that says nothing


class Fork:
    """`job` in a process of its own, without input and with its output thrown away."""

    def __init__(self, job: Job) -> None:
        self._read, write = os.pipe()
        self._told = b""
        self._code: int | None = None
        self._began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _become(job, write)
        os.close(write)
        os.set_blocking(self._read, False)

    def finish(self, seconds: float) -> tuple[list[Any], str]:
        """What it told, and "" where it ended well, else how it ended; it and its process group are gone then.

        seconds: from its start on; it is ended after them.
        """
        too_long = too_much = False
        while not self._ended() and not too_long and not too_much:
            select.select([self._read], [], [], _LOOK)
            too_much = not self._drain()
            too_long = time.monotonic() > self._began + seconds
        self._end()
        self._drain()
        os.close(self._read)
        values, raised = _values(self._told)
        if too_long:
            return values, f"it took more than {seconds:g} s"
        if too_much:
            return values, f"it told more than {_MOST >> 20} MiB"
        return values, raised or _end_of(self._code)

    def _ended(self) -> bool:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code is not None

    def _drain(self) -> bool:
        """Read what is there; whether it is still of a size to be read."""
        with contextlib.suppress(BlockingIOError):
            while len(self._told) <= _MOST:
                data = os.read(self._read, _CHUNK)
                if not data:
                    break
                self._told += data
        return len(self._told) <= _MOST

    def _end(self) -> None:
        processes.signal_all([*processes.descendants(self.pid), self.pid] if self._code is None else [], signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        while not self._ended():
            time.sleep(_LOOK)


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
    """The values, up to a line that is none, and what was raised."""
    values: list[Any] = []
    for line in output.splitlines():
        try:
            message = json.loads(line)
            if "raised" in message:
                return values, str(message["raised"])
            values.append(message["value"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return values, "it told something else than it was asked"
    return values, ""


def _end_of(code: int | None) -> str:
    if code == 0:
        return ""
    if code is not None and code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with exit status {code}"
