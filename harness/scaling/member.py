"""`python -m harness.scaling.member CASE FOLDER`: one rank of a sharded case, as harness.scaling.launch starts it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.disk import write_whole
from harness.isolation.processes import die_with_parent
from harness.scaling.judge import RESULT, X
from harness.scaling.sharded import ShardedCase, take_part
from instances import InputError
from solvers.engine.collectives import RankLostError

BAD_INPUT = 2
FAULT = 3
FAILURE = "failure-{}.json"
LOG = "rank-{}.log"


def main(case: str, folder: Path) -> int:
    """Leave the result, or the reason for a failure, where the process that started the ranks finds it."""
    die_with_parent()  # a rank whose launcher was killed would solve on for nobody
    with (folder / LOG.format(os.environ["RANK"])).open("ab") as log:
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)

    (folder / FAILURE.format(os.environ["RANK"])).unlink(missing_ok=True)  # of the attempt before
    try:
        result = take_part(ShardedCase.parse(Path(case).read_text()), folder / X)
    except (InputError, RankLostError, MemoryError) as error:
        kind = "input" if isinstance(error, InputError) else type(error).__name__
        _write(folder / FAILURE.format(os.environ["RANK"]), {"kind": kind, "text": " ".join(str(error).split())[:500]})
        os._exit(BAD_INPUT if kind == "input" else FAULT)  # threads of a lost group may never end
    if result is not None:
        _write(folder / RESULT, result)
    return 0


def _write(path: Path, value: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(value).encode(), durable=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
