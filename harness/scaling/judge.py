"""The referee on what ranks answered: `python -m harness.scaling.judge FOLDER`, a process that never loaded a solver.

FOLDER holds the case, the result of rank 0 and the x of all ranks. The instance is made anew from its spec, whole, in
memory or on the disk, and judged chunk by chunk as the answer of any other solver is. Of what the solver says about
itself, only its claimed status is used.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from harness.arrays import array_hash
from harness.certificate import Certificate
from harness.inherited import of_children
from harness.referee import certify
from harness.verdict import verdict
from harness.whole import whole_instance
from instances import InputError, content_hash, parse_spec
from solvers import Answer, Status

CASE = "case.json"
RESULT = "result.json"
X = "x.npy"
VERDICT = "verdict.json"
_LAST_WORDS = 300  # characters of the output that may stand in a reason


def judged(folder: Path, threads: int) -> dict[str, Any]:
    """status, reason, certificate, content_hash and x_hash of the answer in `folder`, from a process of its own."""
    command = [sys.executable, "-P", "-m", "harness.scaling.judge", str(folder), str(threads)]
    environment = {**outside_ranks(), **of_children(threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - our own module
    if done.returncode == 0:
        return dict(json.loads((folder / VERDICT).read_text()))
    words = " ".join(done.stderr.split())[-_LAST_WORDS:]
    return _not_judged(Status.ERROR, f"the referee ended with exit status {done.returncode}: {words}")


def outside_ranks() -> dict[str, str]:
    """Our environment without the place in a group of ranks: the judge is no rank."""
    return {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}


def main(folder: Path, threads: int) -> None:
    case, result = (json.loads((folder / name).read_text()) for name in (CASE, RESULT))
    (folder / VERDICT).write_text(json.dumps(_judge(case, result, folder, threads)))


def _judge(case: Mapping[str, Any], result: Mapping[str, Any], folder: Path, threads: int) -> dict[str, Any]:
    claim = Status(result["status"])
    try:
        lp = whole_instance(parse_spec(case["spec"]), threads=threads)
    except (InputError, MemoryError) as error:
        if claim is Status.SOLVED:
            return _not_judged(Status.INACCURATE, f"claimed, and not judged: the whole instance {error}")
        return _not_judged(claim, result["raw_status"])

    x = None if result["x"] else np.load(folder / X, mmap_mode="r", allow_pickle=False)
    dual = None if result["dual"] is None else np.array(result["dual"], dtype=np.float64)
    try:
        certificate = certify(lp, x, dual, threads=threads)
    except (ArithmeticError, ValueError) as error:
        certificate = Certificate(reason=str(error))

    ray = None if result["ray"] is None else np.array(result["ray"], dtype=np.float64)
    answer = Answer(x=x, dual=dual, status=claim, raw_status=result["raw_status"], ray=ray)
    status, reason = verdict(answer, certificate, case["settings"]["tolerance"], lp, threads=threads)
    missing = result["x"] if status not in (Status.SOLVED, Status.INFEASIBLE) else ""
    return {
        "status": str(status),
        "reason": "; ".join(filter(None, (reason, missing))),
        "certificate": asdict(certificate),
        "content_hash": content_hash(lp),
        "x_hash": array_hash(x),
    }


def _not_judged(status: Status, reason: str) -> dict[str, Any]:
    return {"status": str(status), "reason": reason, "certificate": None, "content_hash": None, "x_hash": None}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
