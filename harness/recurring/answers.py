"""Answers between two days: what the next solve begins from, and how far it went.

Each lies as one file in the folder of the run until all solves of the next day are recorded, so that a killed series
goes on; nothing else of a solver outlives its day.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.disk import written
from harness.folder import x_name
from harness.result import Result
from harness.starts import read_start, write_start
from harness.staying import churn
from instances import Stayed
from solvers import Start, StartError

_FOLDER = "answers"


class Answers:
    """The answers in the folder of a run, by what names the solve."""

    def __init__(self, out: Path, *, keep_x: bool = False) -> None:
        """keep_x: keep every x beside the records as well, for good."""
        self._out = out
        self._keep_x = keep_x
        self._folder = out / _FOLDER
        self._folder.mkdir(exist_ok=True)

    @property
    def x_file(self) -> Path:
        """Where the x of the next answer is to go."""
        return (self._folder / "x.npy").absolute()

    @property
    def start_file(self) -> Path:
        """Where the start of the next solve is to go."""
        return (self._folder / "start.npz").absolute()

    def keep(self, name: str, result: Result) -> Start | None:
        """Keep the x that lies at `x_file`, and the dual; None where the answer has neither in finite numbers."""
        given = {
            "x": np.load(self.x_file, allow_pickle=False) if result.arrays.x_kept else None,
            "dual": None if result.answer is None else result.answer.dual,
        }
        finite = {part: array for part, array in given.items() if array is not None and np.isfinite(array).all()}
        if not finite:
            return None
        answer = Start(**finite)
        write_start(self._file(name), answer)
        return answer

    def keep_x(self, name: str, result: Result) -> str | None:
        """Keep the x that lies at `x_file` beside the records, where that was asked for; its name there."""
        if not (self._keep_x and result.arrays.x_kept):
            return None
        kept = x_name(name)
        with written(self._out / kept) as file:
            file.write(self.x_file.read_bytes())
        return kept

    def read(self, name: str) -> Start | None:
        """None where the solve had no answer."""
        try:
            return read_start(self._file(name)) if self._file(name).exists() else None
        except StartError:  # half written when the process was killed, before its row was
            return None

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove what no later day begins from."""
        kept = {self._file(name) for name in names}
        for file in self._folder.iterdir():
            if file not in kept:
                file.unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:16]}.npz"


def churn_between(before: Start | None, after: Start | None, same: Stayed) -> float | None:
    """`harness.staying.churn` over the edges that stayed; None without both x."""
    if before is None or after is None or before.x is None or after.x is None:
        return None
    x: npt.NDArray[np.floating] = after.x[same.after]
    return churn(x, before.x[same.before])
