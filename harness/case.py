"""A case: one instance, one solver, one tolerance, one repeat, with every setting that the answer depends on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from instances import Spec, parse_spec
from solvers import Settings


@dataclass(frozen=True, kw_only=True)
class Case:
    """`instance` is its name in the suite, `spec` the text that makes it.

    keep_x: absolute path of the file that x goes to; "" where it is not kept.
    """

    suite: str
    instance: str
    spec: str
    solver: str
    settings: Settings
    repeat: int = 0
    keep_x: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """Text that names the case within its suite; the same settings give the same text."""
        s = self.settings
        limit = "none" if s.time_limit is None else f"{_exact(s.time_limit)}s"
        tolerance = _exact(s.tolerance)
        return "|".join((self.instance, self.solver, tolerance, s.device, f"{s.threads}t", limit, f"r{self.repeat}"))

    @cached_property
    def parsed(self) -> Spec:
        return parse_spec(self.spec)


def _exact(value: float) -> str:
    """Short where six digits say it, and never the same text for two numbers."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
