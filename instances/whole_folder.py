"""Folders of files that are whole or not there: written under another name and renamed when they are complete."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: How the name of a folder ends that is being written; a killed process leaves one.
PARTIAL = ".partial"
#: A partial folder of this age belongs to a process that was killed: no instance takes a day to write.
_ABANDONED_S = 24 * 3600.0
#: Where the process is known to have ended here, this age is enough: no other machine writes its files for so long.
_SURELY_WRITTEN_S = 3600.0
#: Of Linux: paths count from the working folder; two names change places in one step.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def written_folder(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to write into that becomes `folder` on leaving, and is removed where something was raised.

    replace: in place of what is there, which stays whole until the new folder takes its name; otherwise `folder` must
    be absent or empty. Raises OSError where the disk does not take the files, or another process was first.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{os.getpid()}{PARTIAL}"
    shutil.rmtree(partial, ignore_errors=True)  # of a killed process that had this number
    partial.mkdir()
    try:
        yield partial
        if replace and folder.exists():
            _exchange(partial, folder)
        else:
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove_left_behind(folder: Path) -> None:
    """Remove what killed processes left beside `folder` of it; one of another machine may still be writing its own."""
    before = f".{folder.absolute().name}."
    for partial in folder.absolute().parent.glob(f".*{PARTIAL}"):
        process = partial.name.removeprefix(before).removesuffix(PARTIAL)
        if partial.name.startswith(before) and process.isdecimal() and not is_running(int(process)):
            remove_aged(partial)


def remove_abandoned(parent: Path) -> None:
    """Remove the partial folders in `parent` that killed processes left."""
    for partial in parent.glob(f"*{PARTIAL}"):
        _remove_after(_ABANDONED_S, partial)


def remove_aged(folder: Path) -> None:
    """Remove a folder of a process that has ended here, once no process of another machine can be writing it."""
    _remove_after(_SURELY_WRITTEN_S, folder)


def _remove_after(seconds: float, partial: Path) -> None:
    with contextlib.suppress(OSError):  # another process may remove it at the same time
        if time.time() - partial.stat().st_mtime > seconds:
            shutil.rmtree(partial)


def _exchange(partial: Path, folder: Path) -> None:
    """Let two folders change places: in one step on Linux, elsewhere `folder` is absent for a moment."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = [os.fsencode(path) for path in (partial, folder)]
    if rename is not None and rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return

    aside = partial.with_suffix(".old")
    folder.rename(aside)
    try:
        partial.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    aside.rename(partial)


def is_running(process: int) -> bool:
    """Whether a process of this machine has the number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OverflowError:  # no process can have this number
        return False
    except PermissionError:
        return True
    return True
