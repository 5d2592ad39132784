"""`dualbench solve --shards`: a problem in shards, solved by ranks that write their own decisions by key.

E edges. A rank holds its row groups alone. Rank 0 assembles x, a process of its own judges and repairs x as that of any
other solver is, and each rank joins its part of x with the keys that lie row for row beside its edges. By these keys a
rank also finds the decisions of an earlier output again that it begins from.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.clock import Stopwatch
from harness.decisions.choice import AUTO
from harness.decisions.folder import DECISIONS, check_writable, write_summary
from harness.decisions.of_ranks import ASKED, BAD_INPUT, NO_DECISIONS, SUMMARY, Asked
from harness.decisions.solving import NoDecisionsError
from harness.decisions.tables import X, decision_columns
from harness.decisions.words import started_in_words
from harness.decisions.yesterday import BegunPart, earlier_summary, find_again
from harness.disk import space_for
from harness.inherited import of_children
from harness.scaling.judge import CASE, RESULT, outside_ranks
from harness.scaling.judge import X as ANSWER
from harness.scaling.sharded import ShardedCase, take_part
from harness.solve import settings_from
from instances import InputError, MatchingLP, parse_spec
from instances.cpus import usable_threads
from instances.kept_keys import KeptKeys, read_keys
from instances.row_groups import RowGroups
from instances.shards import require_parts, shares
from instances.whole_folder import remove_left_behind, written_folder
from solvers import Start
from solvers.engine.collectives import Communicator

#: What `auto` takes: of the solvers that work in ranks the one that stops at a gap that it proves.
_SOLVER = "blockpdhg"
#: Seconds from one word of rank 0 to the next, while the other ranks wait for the judge within their own timeout.
_BEAT = 1.0
_POINT = "x.npy"
_JUDGE_LOG = "judge.log"
_LAST_WORDS = 300  # characters of the judge's output that may stand in a line


def solve_shards(
    shards: Path | str,
    out: Path | str,
    solver: str = AUTO,
    *,
    all_edges: bool = False,
    progress: Callable[[str], None] | None = None,
    start: Path | str | None = None,
    **settings: Any,
) -> Mapping[str, Any] | None:
    """Do this rank's part of the solve of `shards`, and write its decisions into the folder `out`; alone, all of it.

    Returns the summary on rank 0, None on the others. out: on a file system that all ranks see. start: the output of an
    earlier day on such a one, whose decisions each rank reads whole and looks up by the keys of its own edges.
    settings: those of `harness.solve`, threads of one rank. Raises InputError for bad input, NoDecisionsError on rank 0
    where there is nothing to decide by.
    """
    kept = read_keys(Path(shards).absolute())
    decision_columns(kept.problem, kept.columns)
    _check_keys(kept)
    check_writable(Path(out))
    case = _case(kept, _SOLVER if solver == AUTO else solver, settings)
    require_parts(parse_spec(case.spec), case.ranks, neighbours=_neighbours())
    if start is not None:
        earlier_summary(start)  # what is none is refused before ranks meet
    why = f"{'auto' if solver == AUTO else 'asked for'}: {case.ranks} ranks on the shards {kept.folder}"
    with tempfile.TemporaryDirectory(prefix="dualbench-ranks-") as scratch:
        decisions = _Decisions(
            kept=kept,
            case=case,
            out=Path(os.path.abspath(out)),  # noqa: PTH100 - as check_writable saw the path
            why=why,
            all_edges=all_edges,
            start=None if start is None else Path(start),
            scratch=Path(scratch),
            say=progress or (lambda _: None),
        )
        decisions.say(f"solving with {case.solver} ({why})")
        begin = None if start is None else decisions.begin
        take_part(case, Path(scratch) / ANSWER, decisions.decide, begin)
    return decisions.summary


def _check_keys(kept: KeptKeys) -> None:
    """InputError where the keys do not lie row for row beside the edges."""
    keys = [group.num_rows for group in kept.edge_files().groups]
    if keys != RowGroups(kept.folder).edges.tolist():
        raise InputError(f"{kept.folder} is damaged (other row groups of keys than of edges): write the shards again")


def _case(kept: KeptKeys, solver: str, settings: Mapping[str, Any]) -> ShardedCase:
    threads = max(1, usable_threads() // _neighbours())
    return ShardedCase(
        spec=f"parquet:path={kept.folder}",
        solver=solver,
        settings=settings_from({"threads": threads, **settings}),
        ranks=int(os.environ.get("WORLD_SIZE", "1")),
        probe=False,
    )


def _neighbours() -> int:
    """Ranks on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@dataclass(kw_only=True)
class _Decisions:
    """What one rank does before and after all solve; every step is collective."""

    kept: KeptKeys
    case: ShardedCase
    out: Path
    why: str
    all_edges: bool
    start: Path | None
    """The output to begin from."""
    scratch: Path
    """A folder of this process, where rank 0 has the x of all."""
    say: Callable[[str], None]
    summary: dict[str, Any] | None = field(default=None)
    """On rank 0, in the end."""
    _begun: BegunPart | None = field(default=None)

    def begin(self, group: Communicator, lp: MatchingLP) -> Start:
        """What of the earlier output belongs to the sources of this rank."""
        assert self.start is not None
        stated = self.kept.stated(lp, range(*self._groups(group)))
        yesterday = find_again(self.start, stated, group)
        self._begun = BegunPart.of(yesterday, lp, group)
        self.say(started_in_words(yesterday.figures))
        return yesterday.start

    def decide(self, group: Communicator, result: Mapping[str, Any] | None) -> None:
        """Judge on rank 0, and write: each rank its part, rank 0 all else. The folder appears whole or not at all."""
        if result is None:
            unfinished = Path(group.gather("")[0])
            if _together(group, None) == 0:
                self._write_part(group, unfinished)
            return

        remove_left_behind(self.out)
        with space_for(self.out), written_folder(self.out, replace=True) as unfinished:
            (unfinished / DECISIONS).mkdir()
            group.gather(str(unfinished))
            self.say("repairing and judging the decisions")
            stopwatch = Stopwatch()
            with self._judge(result, unfinished) as judge:
                ended = _together(group, judge)
            if ended:
                raise self._refused(ended)
            summary = json.loads((self.scratch / SUMMARY).read_text())
            summary["seconds"]["referee"] = stopwatch.lap()

            self.say("writing the decisions")
            summary["start"] = self._write_part(group, unfinished)
            (unfinished / _POINT).unlink()
            self.summary = write_summary(unfinished, summary, stopwatch.lap())

    @contextlib.contextmanager
    def _judge(self, result: Mapping[str, Any], unfinished: Path) -> Iterator[subprocess.Popen[bytes]]:
        """The process that judges, ended on leaving."""
        asked = Asked(
            shards=str(self.kept.folder), point=str(unfinished / _POINT), prices=str(unfinished), why=self.why
        )
        (self.scratch / CASE).write_text(self.case.text)
        (self.scratch / RESULT).write_text(json.dumps(result))
        (self.scratch / ASKED).write_text(asked.text)
        threads = max(1, min(_neighbours() * self.case.settings.threads, os.cpu_count() or 1))
        command = [sys.executable, "-P", "-m", "harness.decisions.of_ranks", str(self.scratch), str(threads)]
        environment = {**outside_ranks(), **of_children(threads)}
        with (self.scratch / _JUDGE_LOG).open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own module
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _refused(self, status: int) -> InputError:
        words = " ".join((self.scratch / _JUDGE_LOG).read_text(errors="replace").split())[-_LAST_WORDS:]
        if status == BAD_INPUT:
            return InputError(words)
        return NoDecisionsError(
            words if status == NO_DECISIONS else f"the judge ended with exit status {status}: {words}"
        )

    def _write_part(self, group: Communicator, unfinished: Path) -> dict[str, Any] | None:
        """The decisions of this rank's edges: their keys, and their x of the point that was certified.

        When all ranks are done: what the summary says of the start, None without one.
        """
        from pyarrow import parquet

        first, last = self._groups(group)
        edges = RowGroups(self.kept.folder).edges
        place = int(edges[:first].sum())
        try:
            point = np.load(unfinished / _POINT, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            sentence = f"rank {group.rank} does not see {unfinished}"
            raise InputError(f"{sentence}: give --out on a file system that all ranks see") from error

        own = point[place : place + int(edges[first:last].sum())]
        keys = self.kept.edge_files()
        schema = _schema(keys.schema)
        with parquet.ParquetWriter(unfinished / DECISIONS / f"part-{group.rank:05d}.parquet", schema) as writer:
            for rows in keys.read(range(first, last), checked=True):
                x = np.array(point[place : place + rows.num_rows])
                place += rows.num_rows
                rows = rows.append_column(schema.field(X), [x])
                writer.write_table(rows if self.all_edges else rows.filter(x > 0))
        group.gather("")
        return None if self._begun is None else self._begun.told(own, group)

    def _groups(self, group: Communicator) -> tuple[int, int]:
        """The first and last row group of this rank."""
        return shares(RowGroups(self.kept.folder).edges, group.size, "row groups")[group.rank]


def _schema(keys: Any) -> Any:
    import pyarrow as pa

    return keys.append(pa.field(X, pa.float64()))


def _together(group: Communicator, judge: subprocess.Popen[bytes] | None) -> int:
    """Wait for the judge, whom rank 0 alone has; its exit status, on every rank."""
    while True:
        ended = 0.0
        if judge is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = 1.0 + abs(judge.wait(_BEAT))
        ended = float(group.max(np.array([ended]))[0])
        if ended:
            return int(ended) - 1
