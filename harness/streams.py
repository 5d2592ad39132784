"""Standard input, output and error where one of them is closed, or where nobody reads what is written."""

from __future__ import annotations

import io
import os
import select
import signal
import sys

#: The exit status of a process that SIGPIPE ended, as a shell shows it.
NOBODY_READS = 128 + signal.SIGPIPE if hasattr(signal, "SIGPIPE") else 1


def prepare() -> None:
    """Open closed standard streams, whose descriptors other files would get; allow undecodable file names."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            _put_nothing(number, mode)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - a descriptor, open until the end
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def nobody_reads() -> bool:
    """Whether standard output is a pipe whose reader has ended, as in `| head -1`; if so, later output is discarded."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(1, 0)
    gone = any(events & select.POLLERR for _, events in poll.poll(0))
    if gone:
        _put_nothing(1, os.O_WRONLY)
    return gone


def _put_nothing(number: int, mode: int) -> None:
    """The null device at a descriptor that children inherit."""
    opened = os.open(os.devnull, mode)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)  # noqa: FBT003 - it takes no keyword
