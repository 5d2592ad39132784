"""The files beside records.jsonl that one process at a time writes: the lock, the duals, and x where it is kept."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness.disk import PARTIAL, write_whole
from instances import InputError

LOCK = ".lock"
_DUALS, _XS = "duals", "x"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only process that writes into `folder`, which is made where it is absent; InputError where another is.

    The kernel holds the lock, and lets go of it when the process ends, in whatever way. What a killed process left half
    written is removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder} is not a folder: choose another --out") from None
    file = _lock(folder)
    try:
        for kept in (_DUALS, _XS):
            for partial in folder.glob(f"{kept}/.*{PARTIAL}"):
                partial.unlink(missing_ok=True)
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        file.close()


def save_dual(folder: Path, key: str, dual: Any) -> str | None:
    """Write the dual of the run that `key` names; its name relative to the folder, None without a dual."""
    if dual is None:
        return None
    content = io.BytesIO()
    np.save(content, np.asarray(dual), allow_pickle=False)
    name = f"{_DUALS}/{_name(key)}.npy"
    write_whole(folder / name, content.getvalue())
    return name


def write_array(path: Path, array: Any) -> bool:
    """Write an array of numbers as .npy, without a copy of it in memory; whether it could be written."""
    if array is None:
        return False
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, ValueError):  # no room, or objects
        partial.unlink(missing_ok=True)
        return False
    return True


def x_name(key: str) -> str:
    """The file of the x of the run that `key` names, relative to the folder."""
    return f"{_XS}/{_name(key)}.npy"


def _name(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:16]


def _lock(folder: Path) -> IO[str]:
    """The locked file, with the holder's process in it."""
    while True:
        file = (folder / LOCK).open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = " ".join(file.read(200).split()) or "another process"
            file.close()
            raise InputError(f"{holder} is writing into {folder}: wait for it, or choose another --out") from None
        if _is_there(folder / LOCK, file):
            break
        file.close()  # who held it has just removed it
    file.truncate(0)
    with contextlib.suppress(OSError):  # a full disk takes the lock, if not the words
        os.write(file.fileno(), f"process {os.getpid()} on {socket.gethostname()}".encode())
    return file


def _is_there(path: Path, file: IO[str]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
