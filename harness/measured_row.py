"""What rows of `dualbench whole` and `dualbench serving` have in common: what was solved, by whom and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from harness.record import SCHEMA
from harness.shapes import CERTIFICATE, OBJECT, SECONDS, TEXT, TOLERANCE, WHOLE, Entries


@dataclass(frozen=True, kw_only=True)
class MeasuredRecord:
    """One thing measured on one instance, by one solver."""

    case: Annotated[str, TEXT]
    """Text that names the row within its records."""

    instance: Annotated[str, TEXT]
    """The name of the instance, or its spec."""

    spec: Annotated[str, TEXT]
    """The text that makes the instance."""

    spec_hash: Annotated[str, TEXT]
    """A hash of the spec, and of the files that it names."""

    content_hash: Annotated[str, TEXT]
    """A hash of the arrays of the instance (instances.content_hash)."""

    sources: Annotated[int, WHOLE]
    """I of the instance."""

    destinations: Annotated[int, WHOLE]
    """J of the instance: its rows."""

    edges: Annotated[int, WHOLE]
    """E of the instance."""

    solver: Annotated[str, TEXT]
    """The id of the solver."""

    solver_version: Annotated[str, TEXT.or_null]
    """What the solver says of its version."""

    settings: Annotated[Mapping[str, Any], OBJECT, Entries({"tolerance": TOLERANCE})]
    """What the solver was asked for (solvers.Settings)."""

    seconds: Annotated[Mapping[str, float | None], SECONDS]
    """Wall time: prepare and run of the LP, and whole of making its answer whole."""

    certificate: Annotated[Mapping[str, Any], CERTIFICATE]
    """The referee's figures of the decisions (harness/certificate.py)."""

    environment: Annotated[str, TEXT]
    """The id of a row of kind "environment"."""

    time: Annotated[str, TEXT]
    """When it was measured: ISO 8601, UTC."""

    schema: int = SCHEMA
    """The version of this form."""
