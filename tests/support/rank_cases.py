"""Several sharded cases, one after the other, on ranks that are started once: each start imports for seconds.

`python -m tests.support.rank_cases FOLDER` is one rank. Every case has a group of its own, at a port that rank 0
chooses when the case begins.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from harness.disk import write_whole
from harness.isolation.processes import die_with_parent
from harness.scaling.sharded import ShardedCase, take_part
from harness.starts import read_start
from instances import MatchingLP
from solvers import Settings, Start
from solvers.engine.collectives import Communicator

ROOT = Path(__file__).resolve().parents[2]
CASES = "cases.json"
RESULTS = "results.json"
LOG = "rank-{}.log"
#: Seconds for all cases, on a machine with other work.
_PATIENCE = 600.0


def sharded_case(spec: str, solver: str, ranks: int, **chosen: Any) -> ShardedCase:
    """One case; `chosen` are fields of the case or of its settings."""
    settings = {name: chosen.pop(name) for name in list(chosen) if name in Settings.__dataclass_fields__}
    fields = {"probe": False, "timeout": 60.0, **chosen}
    return ShardedCase(spec=spec, solver=solver, ranks=ranks, settings=Settings(**settings), **fields)


def results_of(cases: Sequence[ShardedCase], folder: Path, starts: Mapping[int, Path] | None = None) -> list[Any]:
    """What rank 0 returns of each case; all have the same number of ranks. `folder` keeps what the ranks wrote.

    starts: files of `write_start` with the start of the whole instance, by the place of the case.
    """
    (ranks,) = {case.ranks for case in cases}
    folder.mkdir(parents=True, exist_ok=True)
    begun = {place: str(file) for place, file in (starts or {}).items()}
    (folder / CASES).write_text(json.dumps([[case.text, begun.get(place)] for place, case in enumerate(cases)]))
    with ExitStack() as stack:
        members = [stack.enter_context(_started(folder, rank, ranks)) for rank in range(ranks)]
        try:
            if members[0].wait(_PATIENCE) == 0:  # otherwise the others wait for a port that nobody chooses
                for member in members[1:]:
                    member.wait(_PATIENCE)
        finally:
            for member in members:
                member.kill()
    logs = "\n".join((folder / LOG.format(rank)).read_text() for rank in range(ranks))
    assert [member.returncode for member in members] == [0] * ranks, logs
    return list(json.loads((folder / RESULTS).read_text()))


def _started(folder: Path, rank: int, ranks: int) -> subprocess.Popen[bytes]:
    with (folder / LOG.format(rank)).open("wb") as log:
        command = [sys.executable, "-m", "tests.support.rank_cases", str(folder)]
        return subprocess.Popen(command, cwd=ROOT, env=rank_environment(rank, ranks), stdout=log, stderr=log)


def rank_environment(rank: int, ranks: int, port: int = 0, path: str = "") -> dict[str, str]:
    """What torchrun sets for a rank on this machine; `path` comes before ours among the places of imports."""
    group = {"RANK": str(rank), "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    path = os.pathsep.join(filter(None, (path, str(ROOT))))
    return {**os.environ, **group, "PYTHONPATH": path, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _agreed_port(file: Path) -> int:
    """The port that rank 0 has chosen for the next group and left in `file`."""
    if os.environ["RANK"] == "0":
        write_whole(file, str(free_port()).encode(), durable=False)
    while not file.exists():
        time.sleep(0.01)
    return int(file.read_text())


def part_of(start: Start, group: Communicator, lp: MatchingLP) -> Start:
    """The start of the sources of this rank, from that of the whole."""
    sizes = group.gather(lp.edges)
    first = sum(sizes[: group.rank])
    return Start(x=None if start.x is None else start.x[first : first + lp.edges], dual=start.dual)


def main(folder: Path) -> None:
    die_with_parent()
    results = []
    for number, (case, file) in enumerate(json.loads((folder / CASES).read_text())):
        os.environ["MASTER_PORT"] = str(_agreed_port(folder / f"port-{number}"))
        begin = None if file is None else partial(part_of, read_start(file))
        results.append(take_part(ShardedCase.parse(case), begin=begin))
    if os.environ["RANK"] == "0":
        (folder / RESULTS).write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
