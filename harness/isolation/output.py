"""What solvers print, kept in one bounded file: the beginning and the end of each case's output."""

from __future__ import annotations

from pathlib import Path

#: Bytes kept of one case: so many at once, and so many of what came last.
_FIRST = 1 << 18
_LAST = 1 << 16
_LAST_WORDS = 300  # characters that may stand in a reason


class Output:
    """The output of one case on its way into the file `log`."""

    def __init__(self, log: Path, title: str) -> None:
        self._log = log
        self._title = title
        self._size = 0
        self._tail = b""

    def write(self, data: bytes) -> None:
        kept = data[: max(0, _FIRST - self._size)]
        if kept:
            self._append((b"" if self._size else f"=== {self._title}\n".encode()) + kept)
        self._tail = (self._tail + data)[-_LAST:]
        self._size += len(data)

    def close(self) -> None:
        """Add the end of what did not fit."""
        beyond = self._size - _FIRST
        if beyond > 0:
            dropped = max(0, beyond - _LAST)
            words = f"\n... {dropped:,} bytes left out\n" if dropped else ""
            self._append(words.encode() + self._tail[-min(beyond, _LAST) :])
        if self._size and not self._tail.endswith(b"\n"):
            self._append(b"\n")

    @property
    def last_words(self) -> str:
        """The last line that was printed."""
        return last_words(self._tail)

    def _append(self, data: bytes) -> None:
        with self._log.open("ab") as file:
            file.write(data)


def last_words(output: bytes) -> str:
    """The last line of what was printed, as it may stand in a reason."""
    lines = output.decode(errors="replace").strip().splitlines()
    return "".join(c if c.isprintable() else " " for c in lines[-1])[-_LAST_WORDS:] if lines else ""
