"""Messages between our processes: small JSON objects over a socket that keeps their boundaries.

Nothing is unpickled. A message arrives whole or not at all, and one that is too large or no JSON object is refused: the
process of an adapter is checked like any other source of input.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

#: Bytes of one message.
LARGEST = 1 << 17
#: Linux stamps a message with the calendar time when it is sent, as two longs: seconds and nanoseconds.
_SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("@ll")
_MOST_DESCRIPTORS = 3
#: Raised where the other end is gone or does not answer in time.
LOST = (EOFError, ConnectionError, TimeoutError)


class ServerError(Exception):
    """The process that every case is forked from cannot start: a fault of this place, of no solver."""


class ProtocolError(Exception):
    """What arrived is no message that may come now; the text says what it is."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """at: when it was sent, in seconds of time.monotonic(). descriptors: open files that came with it."""

    body: dict[str, Any]
    at: float
    descriptors: tuple[int, ...] = ()


class Line:
    """One end of such a socket."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self.closed = False
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LARGEST)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    @classmethod
    def pair(cls) -> tuple[Line, Line]:
        try:
            one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError:  # macOS has datagrams only; there a closed end is an error on the other
            one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        return cls(one), cls(other)

    @classmethod
    def of(cls, descriptor: int) -> Line:
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, body: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send one message; ProtocolError where it is too large, ConnectionError where the other end is gone."""
        data = json.dumps(body, separators=(",", ":")).encode()
        if len(data) > LARGEST:
            raise ProtocolError(f"a message of {len(data):,} bytes, the limit is {LARGEST:,}")
        if descriptors:
            socket.send_fds(self._socket, [data], list(descriptors))
        else:
            self._socket.send(data)

    def receive(self, timeout: float | None = None, *, descriptors: bool = False) -> Message:
        """The next message; TimeoutError after `timeout` seconds, EOFError where the other end is closed.

        Descriptors that nobody asked for are closed.
        """
        if not wait([self._socket], timeout):
            raise TimeoutError(f"no message within {timeout} s")
        capacity = socket.CMSG_SPACE(_STAMP.size) + socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize)
        data, extra, flags, _ = self._socket.recvmsg(LARGEST, capacity)

        opened = _opened(extra)
        at = _sent_at(extra)
        if opened and not descriptors:
            for descriptor in opened:
                os.close(descriptor)
            opened = ()

        if not data:
            raise EOFError
        if flags & socket.MSG_TRUNC:
            raise ProtocolError(f"a message of more than {LARGEST:,} bytes")
        return Message(body=_object(data), at=at, descriptors=opened)

    def close(self) -> None:
        self.closed = True
        self._socket.close()


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ProtocolError("a message that is no JSON object")
    return body


def _opened(extra: Sequence[tuple[int, int, bytes]]) -> tuple[int, ...]:
    opened = array.array("i")
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            opened.frombytes(data[: len(data) - len(data) % opened.itemsize])
    return tuple(opened)


def _sent_at(extra: Sequence[tuple[int, int, bytes]]) -> float:
    """When the kernel stamped the message, whatever this process did meanwhile; now, where there is no stamp."""
    now = time.monotonic()
    calendar = time.time()
    for level, kind, data in extra:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            sent: float = seconds + nanoseconds * 1e-9
            return now - max(0.0, calendar - sent)
    return now
