"""Checkpoints of a run: written by all ranks together, whole or not at all, read by any number of ranks.

E edges. A checkpoint is the folder NAME of the iteration with shared.npz (what all ranks have alike), one file
<vector>.<rank>.npy for each primal vector and rank, in the edge order of the instance, and manifest.json with the
identity of the run, the numbers, and the SHA-256 of every file. It is written under another name and renamed when it is
whole; the two newest are kept, and one that is damaged gives way to the one before. Ranks on several machines need a
folder that all of them see.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from instances.errors import InputError
from solvers.engine.collectives import Communicator

_MANIFEST = "manifest.json"
_SHARED = "shared.npz"
_FORMAT = "dualbench checkpoint 1"
#: Finished checkpoints that stay: the newest, and one more in case it is damaged.
_KEPT = 2
#: Default interval in seconds, and the least ratio of the interval to the cost of a checkpoint.
EVERY = 300.0
SHARE = 50.0
#: Bytes that are hashed at once.
_BLOCK = 1 << 24
#: Whatever a damaged manifest.json, .npz or .npy leads to.
_DAMAGE = (OSError, EOFError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, BadZipFile)

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """What a run needs to go on from here."""

    iteration: int
    seconds: float
    """Of the run so far."""
    numbers: Mapping[str, float]
    """Alike on all ranks."""
    shared: Arrays
    """Alike on all ranks."""
    primal: Arrays = field(default_factory=dict)
    """[E] vectors of the edges of this rank."""


class _DamagedError(Exception):
    """A checkpoint that cannot be used; the text says why."""


class CheckpointStore:
    """Writes and finds the checkpoints of one run.

    identity: what a run must share with a checkpoint to go on from it. edges: of this rank. every: seconds from one to
    the next, by default 300 or, where that is more, 50 times what the last checkpoint took. Without `resume` nothing is
    loaded.
    """

    notes: list[str]
    """What a reader should know, alike on all ranks."""
    saved: int
    """Checkpoints written so far."""

    def __init__(
        self,
        folder: Path,
        group: Communicator,
        *,
        identity: Mapping[str, str],
        edges: int,
        every: float | None = None,
        resume: bool = True,
    ) -> None:
        self._folder = folder
        self._group = group
        self._identity = dict(identity)
        self._every = EVERY if every is None else every
        self._by_cost = every is None
        self._edges: list[int] = group.gather(edges)
        self._last = 0.0
        self._resume = resume
        self.notes = []
        self.saved = 0

    def due(self, seconds: float) -> bool:
        """Whether so long into the run it is time; alike on all ranks where `seconds` is."""
        return seconds - self._last >= self._every

    def save(self, state: Snapshot) -> None:
        """Write; where that fails on any rank the run goes on without this checkpoint, and `notes` says so."""
        self._last = state.seconds
        began = time.perf_counter()
        partial = self._folder / f".partial-{state.iteration:09d}"

        # all ranks write, and agree whether all could
        by_rank = self._group.gather(self._write(partial, state))
        faults = [f"rank {rank}: {fault}" for rank, (_, fault) in enumerate(by_rank) if fault]

        # rank 0 makes the files a checkpoint, and all learn what became of it
        if self._group.rank == 0:
            files = {name: digest for written, _ in by_rank for name, digest in written.items()}
            faults = faults or self._publish(partial, state, files)
            if faults:
                shutil.rmtree(partial, ignore_errors=True)
        outcomes = self._group.gather((faults, time.perf_counter() - began))
        faults = outcomes[0][0]
        if self._by_cost:
            self._every = max(EVERY, SHARE * max(seconds for _, seconds in outcomes))
        if faults:
            self.notes.append(f"checkpoint of iteration {state.iteration} was lost ({'; '.join(faults)})")
        else:
            self.saved += 1

    def load(self) -> Snapshot | None:
        """The newest checkpoint that is whole; None where there is none. InputError for one of another run."""
        names = self._group.gather(_names(self._folder))[0] if self._resume else []
        for name in names:
            saved: Snapshot | None = None
            fault = ""
            try:
                saved = self._read(self._folder / name)
            except _DamagedError as damage:
                fault = str(damage)
            faults = [f"rank {rank}: {text}" for rank, text in enumerate(self._group.gather(fault)) if text]
            if saved is not None and not faults:
                self._last = saved.seconds
                self.notes.append(f"went on from iteration {saved.iteration}")
                return saved
            self.notes.append(f"checkpoint {name} is damaged, the one before counts ({faults[0]})")
        return None

    def _write(self, partial: Path, state: Snapshot) -> tuple[dict[str, str], str]:
        """The files of this rank with their digests, or what went wrong."""
        written = {}
        try:
            partial.mkdir(parents=True, exist_ok=True)
            if self._group.rank == 0:
                with (partial / _SHARED).open("wb") as file:
                    np.savez(file, **dict[str, Any](state.shared))
                    _flush(file)
                written[_SHARED] = _digest(partial / _SHARED)
            for vector, values in state.primal.items():
                name = f"{vector}.{self._group.rank}.npy"
                with (partial / name).open("wb") as file:
                    np.save(file, values, allow_pickle=False)
                    _flush(file)
                written[name] = _digest(partial / name)
        except OSError as error:
            return {}, str(error) if error.errno else f"no room on the disk ({error})"  # NumPy counts items only
        return written, ""

    def _publish(self, partial: Path, state: Snapshot, files: Mapping[str, str]) -> list[str]:
        manifest = {
            "format": _FORMAT,
            "identity": self._identity,
            "iteration": state.iteration,
            "seconds": state.seconds,
            "numbers": dict(state.numbers),
            "edges": self._edges,
            "primal": list(state.primal),
            "files": dict(files),
        }
        target = self._folder / f"{state.iteration:09d}"
        try:
            with (partial / _MANIFEST).open("w") as file:
                json.dump(manifest, file, indent=1)
                _flush(file)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        except OSError as error:
            return [f"rank 0: {error}"]
        for old in _names(self._folder)[_KEPT:]:
            shutil.rmtree(self._folder / old, ignore_errors=True)
        return []

    def _read(self, place: Path) -> Snapshot:
        try:
            manifest = json.loads((place / _MANIFEST).read_text())
            self._check_identity(place, manifest["identity"])
            _check(place, _SHARED, manifest["files"])
            with np.load(place / _SHARED, allow_pickle=False) as stored:
                shared = {name: stored[name] for name in stored.files}
            return Snapshot(
                iteration=int(manifest["iteration"]),
                seconds=float(manifest["seconds"]),
                numbers=manifest["numbers"],
                shared=shared,
                primal={name: self._primal(place, name, manifest) for name in manifest["primal"]},
            )
        except InputError:
            raise
        except _DAMAGE as error:
            raise _DamagedError(f"{type(error).__name__}: {error}") from error

    def _primal(self, place: Path, name: str, manifest: Mapping[str, Any]) -> npt.NDArray[Any]:
        """The edges of this rank out of the files of the ranks that wrote them."""
        first = sum(self._edges[: self._group.rank])
        last = first + self._edges[self._group.rank]
        pieces = []
        start = 0
        for rank, edges in enumerate(manifest["edges"]):
            end = start + edges
            if start < last and first < end:
                file = f"{name}.{rank}.npy"
                _check(place, file, manifest["files"])
                values = np.load(place / file, mmap_mode="r", allow_pickle=False)
                pieces.append(np.array(values[max(first, start) - start : min(last, end) - start]))
            start = end
        values = np.concatenate(pieces)
        if values.size != last - first:
            raise _DamagedError(f"{name} has {values.size} of {last - first} edges")
        return values

    def _check_identity(self, place: Path, found: Mapping[str, str]) -> None:
        for name, mine in self._identity.items():
            if found.get(name) != mine:
                raise InputError(
                    f"checkpoint {place} is of another run: its {name} is {found.get(name)!r}, this run has {mine!r}; "
                    f"choose another folder or start without --resume"
                )


def _names(folder: Path) -> list[str]:
    """Finished checkpoints, newest first."""
    if not folder.is_dir():
        return []
    return sorted((p.name for p in folder.iterdir() if p.name.isdigit()), reverse=True)


def _check(place: Path, name: str, files: Mapping[str, str]) -> None:
    if Path(name).name != name:
        raise _DamagedError(f"{name!r} leads out of the checkpoint")
    if _digest(place / name) != files[name]:
        raise _DamagedError(f"{name} is not what was written")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
