"""Starts of solves as files, and what a run that was started is asked and reported beside a cold one.

A start travels to the process of a case as one .npz file with the arrays x and dual. What names it in a record is a
hash of its arrays.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from harness.arrays import array_hash
from harness.disk import written
from instances import MatchingLP
from solvers import OptionError, Settings, Solver, Start, StartError
from solvers.start import PARTS


class NoWarmStartError(OptionError):
    """The solver cannot begin from the start, or cannot stay near it."""


def write_start(path: Path | str, start: Start) -> None:
    """Write `start` as the .npz file `path`, whole or not at all."""
    with written(Path(path)) as file:
        np.savez(file, **{part: getattr(start, part) for part in start.parts})


def read_start(path: Path | str) -> Start:
    """The start in the file `path`; StartError where it holds none."""
    try:
        with Path(path).open("rb") as content, np.load(content, allow_pickle=False) as file:
            arrays: dict[str, Any] = {part: file[part] for part in PARTS if part in file.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:200]
        raise StartError(f"{path} is no start ({reason}): write one with harness.write_start") from error
    return Start(**arrays)


def start_hash(start: Start) -> str:
    """SHA-256 over the names, types and numbers of its arrays."""
    content = "".join(f"{part} {array_hash(getattr(start, part))} " for part in start.parts)
    return hashlib.sha256(content.encode()).hexdigest()


def require_start(solver: Solver, settings: Settings, start: Start | None) -> None:
    """NoWarmStartError where a run would leave the start, or the wish to stay near it, aside."""
    if start is not None and not set(start.parts) & set(solver.warm_starts):
        given = " and ".join(start.parts)
        takes = f"begins from {' and '.join(solver.warm_starts)} alone" if solver.warm_starts else "takes no start"
        raise NoWarmStartError(f"{solver.id} {takes}, {given} was given: leave the start out or take another solver")
    if not settings.stay:
        return
    if start is None or start.x is None:
        raise NoWarmStartError(f"stay={settings.stay:g} asks for a start with x: give the x to stay near as start=")
    if not solver.stays:
        raise NoWarmStartError(f"{solver.id} cannot stay near a start: leave stay out or take another solver")


def started(solver: Solver, state: Any, start: Start | None, lp: MatchingLP) -> Any:
    """What `run` takes: the prepared state, made to begin from `start` where there is one."""
    if start is None:
        return state
    start.require_length(lp)
    return solver.warm_start(state, start)
