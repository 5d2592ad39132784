"""The conformance kit: every promise of an adapter tried on it, as findings for a reader.

`examine_apart` has a child process try them, each in a fork that loads the adapter anew, under a time limit;
`examine` and `run_check` try those that a process with the adapter in it can see, in this one. This file stays apart
from promises.py, because findings come from the checks of three files and are read by a process that runs none.
"""

from __future__ import annotations

import enum
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness import cards
from harness.answers import availability
from harness.inherited import of_children
from harness.trust import honesty, promises
from harness.trust.trials import NonConformingError, NotApplicableError, Warned
from solvers import Solver
from solvers.card import plain_text

_CHECKS: dict[str, Callable[[Solver], str]] = promises.CHECKS | honesty.CHECKS


class Verdict(enum.StrEnum):
    PASSED = "passed"
    WARNED = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found; `detail` is one line."""

    check: str
    verdict: Verdict
    detail: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def of_json(cls, message: Any) -> Finding:
        return cls(
            check=plain_text(message["check"]),
            verdict=Verdict(message["verdict"]),
            detail=plain_text(message["detail"]),
        )


def check_names() -> list[str]:
    """The checks of `run_check` in order, availability first."""
    return list(_CHECKS)


def examine(solver: Solver) -> Iterator[Finding]:
    """Run every check that needs no process of its own; only the first two where the solver is not available here."""
    for name in _CHECKS:
        yield run_check(solver, name)
        if name == "declaration" and not availability(solver).ok:
            return


def run_check(solver: Solver, name: str) -> Finding:
    return finding(name, lambda: _CHECKS[name](solver))


def finding(name: str, check: Callable[[], str]) -> Finding:
    """What `check` returned or raised."""
    try:
        return Finding(check=name, verdict=Verdict.PASSED, detail=check())
    except NotApplicableError as reason:
        return Finding(check=name, verdict=Verdict.SKIPPED, detail=str(reason))
    except Warned as reason:
        return Finding(check=name, verdict=Verdict.WARNED, detail=str(reason))
    except NonConformingError as reason:
        return Finding(check=name, verdict=Verdict.FAILED, detail=str(reason))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an adapter may raise anything; here that is a finding
        text = " ".join(str(error).split())
        return Finding(check=name, verdict=Verdict.FAILED, detail=f"{type(error).__name__}: {text}"[:300])


def examine_apart(solver_id: str, only: Sequence[str] = ()) -> Iterator[Finding]:
    """Every check, or those of `only`, on the solver of that id or path, in processes of their own.

    Where it is not available, the first two. Raises InputError for a solver that is unknown or cannot be loaded.
    """
    cards.card(solver_id)
    command = [sys.executable, "-P", "-m", "harness.trust.examiner", solver_id, *only]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **of_children(1)}
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            yield Finding.of_json(json.loads(line))
    if child.returncode != 0:
        detail = f"the process that runs the checks ended with exit status {child.returncode}"
        yield Finding(check="examiner", verdict=Verdict.FAILED, detail=detail)
