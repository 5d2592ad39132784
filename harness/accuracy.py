"""What a recorded certificate is worth against a tolerance; harness/certificate.py says the same of one in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Said and shown of every point that is not known to satisfy all rows.
WITHIN_TOLERANCE = "within tolerance, not feasible"


def accuracy(certificate: Mapping[str, Any] | None) -> float | None:
    """The certified gap, or without one the larger of priced gap and row violation; None where neither is known."""
    figures = certificate or {}
    certified: float | None = figures.get("certified_gap")
    return _near(figures) if certified is None else certified


def meets(certificate: Mapping[str, Any] | None, tolerance: float) -> bool:
    """Whether the certified gap is within the tolerance, or priced gap and row violation are."""
    figures = certificate or {}
    return any(gap is not None and gap <= tolerance for gap in (figures.get("certified_gap"), _near(figures)))


def _near(figures: Mapping[str, Any]) -> float | None:
    priced, violation = figures.get("priced_gap"), figures.get("row_violation")
    return None if priced is None or violation is None else max(priced, violation)


def within_tolerance_only(certificate: Mapping[str, Any] | None) -> bool:
    """Whether all that is known is a point near the rows, not one within them."""
    return (certificate or {}).get("certified_gap") is None and accuracy(certificate) is not None
