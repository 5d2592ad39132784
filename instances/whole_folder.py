"""Folders of files that are whole or not there: written under another name and renamed when they are complete."""

from __future__ import annotations

import contextlib
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


@contextmanager
def written_folder(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to write into that becomes `folder` on leaving, and is removed where something was raised.

    replace: in place of what is there; otherwise `folder` must be absent or empty. Raises OSError where the disk does
    not take the files, or another process was first.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{os.getpid()}{PARTIAL}"
    shutil.rmtree(partial, ignore_errors=True)  # of a killed process that had this number
    partial.mkdir()
    try:
        yield partial
        if replace:
            shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove_abandoned(parent: Path) -> None:
    """Remove the partial folders in `parent` that killed processes left."""
    for partial in parent.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):  # another process may remove it at the same time
            if time.time() - partial.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(partial)
