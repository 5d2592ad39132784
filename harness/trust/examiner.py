"""`python -P -m harness.trust.examiner SOLVER`: one finding of the conformance kit a line, as JSON.

This process never loads an adapter from outside: each check has a fork, which does. For a solver of our own, whose
libraries take seconds to load, one process serves the checks that need none for themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial

from harness import cards
from harness.forks import Fork, Tell
from harness.isolation import processes
from harness.trust import apart
from harness.trust.conformance import Finding, Verdict, check_names, finding, run_check
from solvers.card import SolverCard
from solvers.registry import load

#: Seconds for one check.
_LIMIT = 90.0
_GENTLE = 0.2
_FIRST = ("available", "declaration")
#: Several processes each: of our own solvers the tests of runs tell the same.
_OF_FOREIGN = ("same_unwatched", "no_memory_on_disk")


def main(solver_id: str, *only: str) -> None:
    processes.adopt_orphans()
    card = cards.card(solver_id)
    chosen = set(only) or {*check_names(), *apart.CHECKS}
    if not cards.availability_now(card).ok:
        chosen &= set(_FIRST)
    elif not card.origin:
        chosen -= set(_OF_FOREIGN)

    together = [name for name in check_names() if name in chosen]
    if card.origin:
        for name in together:
            _say(_in_fork(name, partial(_tell_one, card, name)))
    for name in (name for name in apart.CHECKS if name in chosen):
        _say(_in_fork(name, partial(_tell_apart, card, name)))
    if not card.origin:
        for name in together:
            _say(run_check(load(card), name))


def _in_fork(name: str, job: Callable[[Tell], None]) -> Finding:
    findings, end = Fork(job).finish(_LIMIT)
    processes.end_children(_GENTLE)
    if end or not findings:
        return Finding(check=name, verdict=Verdict.FAILED, detail=end or "it reported nothing")
    return Finding.of_json(findings[-1])


def _tell_one(card: SolverCard, name: str, tell: Tell) -> None:
    tell(run_check(load(card), name).as_json())


def _tell_apart(card: SolverCard, name: str, tell: Tell) -> None:
    tell(finding(name, lambda: apart.CHECKS[name](card)).as_json())


def _say(finding: Finding) -> None:
    print(json.dumps(finding.as_json()), flush=True)  # noqa: T201 - this is what the process is for


if __name__ == "__main__":
    main(*sys.argv[1:])
