"""Strong and weak scaling: the same case on 1, 2, 4, ... ranks, one record of kind "scaling" a run."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import records
from harness.disk import written
from harness.environment import environment
from harness.folder import locked, save_dual, x_name
from harness.recording import utc_now
from harness.scaling.judge import CASE, RESULT, X, judged
from harness.scaling.launch import Launched, launch
from harness.scaling.recording import DEFINITIONS, scaling_record
from harness.scaling.sharded import ShardedCase, parts_on_disk, sharded_card, take_part
from instances import InputError, MatchingSpec, parse_spec
from instances.shards import require_parts
from solvers import Status
from solvers.engine.collectives import RankLostError

_MOST_RANKS = 65_536


@dataclass(frozen=True, kw_only=True)
class Series:
    """One case on several numbers of ranks."""

    case: ShardedCase
    """The case as it is on one rank; its `ranks` is replaced by each of `ranks` in turn."""

    mode: str
    """"strong" or "weak"."""

    ranks: tuple[int, ...]
    """The numbers of ranks."""

    max_restarts: int = 0
    """How often ranks are started again when one dies."""

    keep_x: bool = False
    """Keep every x beside the duals."""

    def __post_init__(self) -> None:
        if self.mode not in DEFINITIONS:
            raise InputError(f"mode={self.mode!r}: expected {' or '.join(DEFINITIONS)}")
        if not self.ranks or min(self.ranks) < 1 or max(self.ranks) > _MOST_RANKS:
            raise InputError(f"--ranks: expected whole numbers from 1 to {_MOST_RANKS}, such as 1,2,4")
        sharded_card(self.case.solver)
        for ranks in self.ranks:
            case = self.at(ranks)
            neighbours = int(os.environ.get("LOCAL_WORLD_SIZE", str(ranks)))
            on_disk = parts_on_disk(case, neighbours)
            require_parts(parse_spec(case.spec), ranks, neighbours=neighbours, on_disk=on_disk)

    def at(self, ranks: int) -> ShardedCase:
        """The case on `ranks` ranks: the same instance (strong), or `ranks` times the sources (weak)."""
        spec = parse_spec(self.case.spec)
        if self.mode == "weak":
            if not isinstance(spec, MatchingSpec):
                raise InputError(f"{spec.text} cannot grow with the ranks: use --mode strong or a generated family")
            spec = dataclasses.replace(spec, sources=spec.sources * ranks)
        return dataclasses.replace(self.case, spec=spec.text, ranks=ranks)


def run_series(series: Series, out: Path) -> Iterator[Mapping[str, Any]]:
    """Run one number of ranks after another; each record is on the disk when it is yielded."""
    with locked(out):
        place = environment()
        records.append(out / records.RECORDS_FILE, place)
        done: list[Mapping[str, Any]] = []
        for ranks in sorted(set(series.ranks)):
            case = series.at(ranks)
            files = _Files(out, case, keep_x=series.keep_x)
            launched = launch(case, max_restarts=series.max_restarts, judge=files.judge)
            row = scaling_record(series.mode, case, launched, before=done, environment_id=place["id"])
            row |= files.names(launched)
            records.append(out / records.RECORDS_FILE, row)
            done.append(row)
            yield row


def record_joined(case: ShardedCase, mode: str, out: Path, *, keep_x: bool = False) -> Mapping[str, Any] | None:
    """Take part as one rank of the rendezvous that torchrun made; the record on rank 0.

    None on the others, or status and reason where the group was lost.
    """
    ranks = int(os.environ["WORLD_SIZE"])
    case = Series(case=case, mode=mode, ranks=(ranks,)).at(ranks)
    if int(os.environ["RANK"]) != 0:
        ended = _take_part(case, Path(os.devnull))
        return None if ended.status is Status.SOLVED else {"status": str(ended.status), "reason": ended.reason}
    with locked(out), tempfile.TemporaryDirectory(prefix="dualbench-ranks-") as folder:
        files = _Files(out, case, keep_x=keep_x)
        ended = _take_part(case, Path(folder) / X)
        if ended.result is not None:
            (Path(folder) / CASE).write_text(case.text)
            (Path(folder) / RESULT).write_text(json.dumps(ended.result))
            ended = dataclasses.replace(ended, judged=files.judge(Path(folder)))
        place = environment()
        row = scaling_record(mode, case, ended, before=(), environment_id=place["id"])
        row |= files.names(ended)
        records.append(out / records.RECORDS_FILE, place)
        records.append(out / records.RECORDS_FILE, row)
    return row


class _Files:
    """Files of one run beside the records in `out`: the dual, and x where that is asked for."""

    def __init__(self, out: Path, case: ShardedCase, *, keep_x: bool) -> None:
        self._out = out
        self._case = case
        self._key = json.dumps([case.text, utc_now()])
        self._x_name = x_name(self._key) if keep_x else ""
        self._kept: dict[str, str] = {}

    def judge(self, folder: Path) -> Mapping[str, Any]:
        """What the referee says, with as many threads as the ranks had together on this machine."""
        ranks = int(os.environ.get("LOCAL_WORLD_SIZE", str(self._case.ranks)))
        threads = min(ranks * self._case.settings.threads, os.cpu_count() or 1)
        verdict = judged(folder, max(1, threads))
        if self._x_name and verdict["x_hash"] is not None:
            with (folder / X).open("rb") as x, written(self._out / self._x_name) as file:
                shutil.copyfileobj(x, file)
            self._kept["x_file"] = self._x_name
        return verdict

    def names(self, launched: Launched) -> dict[str, str]:
        """The fields of the row that name the files, once the dual is one of them, float64 .npy."""
        name = save_dual(self._out, self._key, None if launched.result is None else launched.result["dual"])
        if name is not None:
            self._kept["dual_file"] = name
        return self._kept


def _take_part(case: ShardedCase, x_file: Path) -> Launched:
    try:
        return Launched(result=take_part(case, x_file))
    except RankLostError as error:
        return Launched(result=None, status=Status.CRASHED, reason=str(error))
