"""The decisions of ranks, judged: `python -m harness.decisions.of_ranks FOLDER THREADS`, a process that solved nothing.

FOLDER holds the case, the result of rank 0, the x of all ranks, and what is to come of them (`Asked`). The instance is
read whole, in memory or on the disk; repair, certificate, status, prices and summary are those of `solve_problem`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.answers import plain
from harness.decisions.choice import Choice
from harness.decisions.folder import PRICES
from harness.decisions.solving import NoDecisionsError, judged
from harness.isolation.processes import die_with_parent
from harness.plain import as_plain
from harness.scaling.judge import CASE, RESULT, X
from harness.scaling.sharded import ShardedCase
from harness.solve import judge
from harness.whole import whole_instance
from instances import InputError, parse_spec
from instances.kept_keys import read_keys
from solvers import Answer, Status, get_solver

ASKED = "asked.json"
SUMMARY = "summary.json"
#: Exit statuses beside 0; Python's own for an exception is 1.
NO_DECISIONS = 4
BAD_INPUT = 2


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the judge of decisions is told beside the case and the result."""

    shards: str
    """The folder of the instance and its keys."""
    point: str
    """Where x[E], float64 .npy, is to be written."""
    prices: str
    """The folder for the prices."""
    why: str
    """The reason for the solver."""

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


def main(folder: Path, threads: int) -> int:
    """Write the point, the prices and the summary; the exit status, with a line on standard error where it is not 0."""
    die_with_parent()  # a judge whose rank was killed would work on for nobody
    try:
        _decide(folder, Asked(**json.loads((folder / ASKED).read_text())), threads)
    except (InputError, MemoryError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return NO_DECISIONS if isinstance(error, (NoDecisionsError, MemoryError)) else BAD_INPUT
    return 0


def _decide(folder: Path, asked: Asked, threads: int) -> None:
    from pyarrow import parquet

    case = ShardedCase.parse((folder / CASE).read_text())
    result = json.loads((folder / RESULT).read_text())
    kept = read_keys(Path(asked.shards))
    lp = whole_instance(parse_spec(case.spec), threads=threads)
    per_rank = [rank["seconds"] for rank in result["per_rank"]]
    names = {"generate": "read", "start": "start", "prepare": "prepare", "run": "run"}
    solution = judged(
        kept.stated(lp),
        judge(lp.tightened, plain(_answer(result, folder), lp), case.settings),
        choice=Choice(name=case.solver, solver=get_solver(case.solver), why=asked.why),
        columns=kept.columns,
        settings=case.settings,
        seconds={name: max(rank[step] for rank in per_rank) for step, name in names.items() if step in per_rank[0]},
    )
    np.save(asked.point, solution.x, allow_pickle=False)
    parquet.write_table(solution.prices, Path(asked.prices) / PRICES)
    (folder / SUMMARY).write_text(json.dumps(as_plain(solution.summary)))


def _answer(result: dict[str, Any], folder: Path) -> Answer:
    """The answer of all ranks together."""
    dual, ray = (None if result[name] is None else np.array(result[name]) for name in ("dual", "ray"))
    return Answer(
        x=None if result["x"] else np.load(folder / X, mmap_mode="r", allow_pickle=False),
        dual=dual,
        ray=ray,
        status=Status(result["status"]),
        raw_status=result["raw_status"],
        iterations=result["iterations"],
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
