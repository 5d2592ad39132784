"""A case: one instance, one solver, one tolerance, one repeat, with every setting that the answer depends on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from instances import Spec, parse_spec
from solvers import Settings


@dataclass(frozen=True, kw_only=True)
class Case:
    """`instance` is its name in the suite, `spec` the text that makes it."""

    suite: str
    instance: str
    spec: str
    solver: str
    settings: Settings
    repeat: int = 0

    @property
    def id(self) -> str:
        """Text that names the case within its suite; the same settings give the same text."""
        s = self.settings
        limit = "none" if s.time_limit is None else f"{s.time_limit:g}s"
        parts = (self.instance, self.solver, f"{s.tolerance:g}", s.device, f"{s.threads}t", limit, f"r{self.repeat}")
        return "|".join(parts)

    @cached_property
    def parsed(self) -> Spec:
        return parse_spec(self.spec)
