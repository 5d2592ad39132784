"""What the harness asks of the processes of a case, and what our own ones answer.

What comes from the process of an adapter is a claim (harness/isolation/delivery.py) and is checked, not believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.case import Case
from harness.record import InstanceForm
from harness.result import ArrayFacts


@dataclass(frozen=True, kw_only=True)
class Request:
    """A case and the place to run it."""

    case: Case
    """The case to make the instance of, to solve, or to judge."""

    folder: str
    """The folder for temporary files of this process alone."""

    allocated: int | None = None
    """Bytes of private memory that the process may allocate (RLIMIT_DATA); None without limit."""

    claim: Mapping[str, Any] | None = None
    """For the judge: what the child of the case said beside its arrays (harness/isolation/delivery.py)."""

    def packed(self) -> dict[str, Any]:
        """As a message."""
        return vars(self) | {"case": self.case.packed()}

    @staticmethod
    def unpacked(body: Mapping[str, Any]) -> Request:
        """The inverse of `packed`."""
        return Request(**{**body, "case": Case.unpacked(body["case"])})


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the holder of an instance says when the instance is there."""

    seconds: float
    """Of making it."""

    on_disk: bool
    """Whether its arrays lie in the store."""

    edges: int
    """E of the instance."""

    content_hash: str
    """Of its arrays."""

    form: Mapping[str, str]
    """The fields of harness.record.InstanceForm."""

    @property
    def facts(self) -> ArrayFacts:
        """What a row says of the instance."""
        return ArrayFacts(edges=self.edges, content_hash=self.content_hash, form=InstanceForm(**self.form))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the judge says of an answer."""

    status: str
    """How the case ended, by the referee's word."""

    reason: str
    """One line for anything but solved."""

    certificate: Mapping[str, Any]
    """The fields of harness.certificate.Certificate."""

    x_hash: str | None
    """Of x as the judge read it."""

    x_kept: bool
    """Whether x was written into the file that the case names for it."""

    started: Mapping[str, Any] | None = None
    """The fields of harness.staying.Started; None for a cold run."""
