"""A certificate's bound against the exact one."""

from __future__ import annotations

from fractions import Fraction

from harness.certificate import Certificate


def check_bound(certificate: Certificate, exact: Fraction, note: object, *, may_be_too_large: bool) -> None:
    """The bound is below the exact one by no more than it states, or says that numbers of the dual are too large."""
    if certificate.dual_bound is None:
        assert "the dual is too large" in certificate.reason
        assert may_be_too_large, note
        return
    bound = Fraction(certificate.dual_bound)
    assert bound <= exact, note
    assert certificate.bound_error is not None
    assert exact - bound <= Fraction(certificate.bound_error), note
