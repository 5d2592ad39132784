"""The conformance kit: every promise of harness/trust/promises.py tried on one adapter, as findings for a reader."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from harness.trust.promises import CHECKS, NonConformingError, NotApplicableError
from solvers import Solver


class Verdict(enum.StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found; `detail` is one line."""

    check: str
    verdict: Verdict
    detail: str


def check_names() -> list[str]:
    """The checks in order, availability first."""
    return list(CHECKS)


def examine(solver: Solver) -> Iterator[Finding]:
    """Run every check; only the first two where the solver is not available here."""
    for name in CHECKS:
        yield run_check(solver, name)
        if name == "declaration" and not solver.available().ok:
            return


def run_check(solver: Solver, name: str) -> Finding:
    try:
        return Finding(check=name, verdict=Verdict.PASSED, detail=CHECKS[name](solver))
    except NotApplicableError as reason:
        return Finding(check=name, verdict=Verdict.SKIPPED, detail=str(reason))
    except NonConformingError as reason:
        return Finding(check=name, verdict=Verdict.FAILED, detail=str(reason))
    except Exception as error:  # noqa: BLE001 - an adapter may raise anything; here that is a finding, not a fault
        text = " ".join(str(error).split())
        return Finding(check=name, verdict=Verdict.FAILED, detail=f"{type(error).__name__}: {text}"[:300])
