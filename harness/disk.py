"""Files that are whole or not there: bytes are on the disk when a call returns, or the file is as it was."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

#: The end of the name of a file while it is being written; a killed process may leave one.
PARTIAL = ".partial"
#: What the system says when a disk is full, a quota or a limit is reached, or the disk has failed.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class NotWrittenError(Exception):
    """The disk did not take what was to be kept; what had been recorded before is whole."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written ({error.strerror or error}); what was recorded before is kept: "
            f"free some space, then repeat the command, `run` with --resume"
        )


def append_line(path: Path, line: bytes) -> None:
    """Append `line` and a line feed; starts a new line where the last one was not finished.

    Raises NotWrittenError where the disk does not take it; the file is then as it was.
    """
    content = line + b"\n"
    with space_for(path), path.open("ab+", buffering=0) as file:
        size = file.tell()
        if size and _last_byte(file) != b"\n":
            content = b"\n" + content
        try:
            _write(file, content)
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise
        if not size:
            _sync_folder(path.parent)


def write_whole(path: Path, content: bytes | memoryview, *, durable: bool = True) -> None:
    """Write `content` into `path`, whole or not at all; see `written`."""
    with written(path, durable=durable) as file:
        file.write(content)


@contextmanager
def written(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file under another name that becomes `path` on leaving, and is removed where something was raised.

    durable: return when the content is on the disk. Raises NotWrittenError where the disk has no space.
    """
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        with space_for(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            partial.replace(path)
            if durable:
                _sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


@contextmanager
def space_for(path: Path) -> Iterator[None]:
    """NotWrittenError where the disk has no space for `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise NotWrittenError(path, error) from error


def _write(file: Any, content: bytes) -> None:
    left = memoryview(content)
    while left:  # a raw file may take less than it is given
        left = left[file.write(left) :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return bytes(file.read(1))
