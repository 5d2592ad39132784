"""What a claim is worth once the referee has judged the answer."""

from __future__ import annotations

from harness.referee import Certificate
from solvers import Answer, Status


def verdict(answer: Answer, certificate: Certificate, tolerance: float) -> tuple[Status, str]:
    """The status of a case and one line for anything but solved: a claim counts only when the referee agrees."""
    if answer.status is not Status.SOLVED:
        return answer.status, answer.raw_status
    gap = certificate.certified_gap
    if gap is None:
        return Status.INACCURATE, f"claimed {tolerance:g}, nothing certified: {certificate.reason}"
    if not gap <= tolerance:  # a gap that is not a number certifies nothing
        return Status.INACCURATE, f"claimed {tolerance:g}, the certified gap is {gap:.2e}"
    return Status.SOLVED, ""
