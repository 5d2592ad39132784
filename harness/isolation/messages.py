"""What the harness asks of the processes that it forks cases from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.case import Case


@dataclass(frozen=True, kw_only=True)
class Request:
    """A case and the place to run it."""

    case: Case
    """The case to make the instance of, to solve, or to judge."""

    folder: str
    """The folder for temporary files of this process alone."""

    allocated: int | None = None
    """Bytes of private memory that the process may allocate (RLIMIT_DATA); None without limit."""

    group: str = ""
    """The cgroup to enter; "" where there is none."""

    claim: Mapping[str, Any] | None = None
    """For the judge: what the child of the case said beside its arrays (harness/isolation/delivery.py)."""

    def packed(self) -> dict[str, Any]:
        """As a message."""
        return vars(self) | {"case": self.case.packed()}

    @staticmethod
    def unpacked(body: Mapping[str, Any]) -> Request:
        """The inverse of `packed`."""
        return Request(**{**body, "case": Case.unpacked(body["case"])})
