"""A certificate's bound, and the supports that it sums, against the exact ones."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from harness.certificate import Certificate
from harness.polytopes.support import exact_support, rounded_support
from harness.sources import Chunk
from instances import MatchingLP


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


def check_supports(lp: MatchingLP, true: Fraction) -> None:
    """The referee's two sums at q = c are at most `true`, the exact sum of supports, and within their stated errors."""
    chunk = Chunk(lp, 0, lp.sources)
    with np.errstate(all="ignore"):
        rounded = rounded_support(chunk, lp.c, 0.0)
        terms = exact_support(chunk, lp.c, np.zeros(lp.edges))
    size = sum(abs(Fraction(float(value))) for value in rounded.terms)
    assert sum(Fraction(float(value)) for value in rounded.terms) <= true
    assert true - sum(Fraction(float(value)) for value in rounded.terms) <= Fraction(rounded.error) + size / 2**40
    found = sum((Fraction(value) for term in terms for value in term.values), Fraction(0))
    assert found <= true
    assert true - found <= sum(Fraction(term.error) for term in terms)
