"""The folder of DuckDB's temporary files: gone with the session, and after a SIGTERM too.

What SIGKILL leaves is removed by a later session, once it is an hour old and its process has ended.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instances.whole_folder import is_running, remove_aged

_NAME = "dualbench-tables-"


@contextlib.contextmanager
def spill_folder() -> Iterator[str]:
    """A folder of the system's temporary one, as long as the block lasts."""
    _remove_stale(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_NAME}{os.getpid()}-") as folder, _removed_at_sigterm(folder):
        yield folder


def _remove_stale(parent: Path) -> None:
    """Folders of processes that have ended without removing them."""
    for folder in parent.glob(f"{_NAME}*"):
        process = folder.name.removeprefix(_NAME).partition("-")[0]
        if process.isdecimal() and not is_running(int(process)):
            remove_aged(folder)


@contextlib.contextmanager
def _removed_at_sigterm(folder: str) -> Iterator[None]:
    """Meanwhile SIGTERM removes the folder before it ends the process; where others handle it, they still do."""
    usual = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not usual:
        yield
        return

    def end(number: int, _: Any) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
