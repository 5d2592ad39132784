"""A case: one instance, one solver, one tolerance, one repeat, with every setting that the answer depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from harness import cards
from harness.starts import read_start, start_hash
from instances import Spec, parse_spec
from solvers import Settings, Start
from solvers.card import SolverCard, packed, unpacked


@dataclass(frozen=True, kw_only=True)
class Case:
    """One instance, one solver, one tolerance, one repeat."""

    suite: str
    """The suite that the case belongs to."""

    instance: str
    """Its name in the suite."""

    spec: str
    """The text that makes the instance."""

    solver: str
    """Its id, the path of its file, or the name of a variant of it, as the suite names it."""

    settings: Settings
    """What the solver is asked for."""

    repeat: int = 0
    """The number of the repeat, from 0."""

    variant: str = ""
    """The name under which the suite asks a solver with options of its own; "" where it goes by its id."""

    anytime: bool = False
    """Whether its time limit cuts it short on purpose (harness/anytime.py)."""

    known: SolverCard | None = field(default=None, compare=False, repr=False)
    """The card of the solver, looked up where it is not given."""

    start: str = ""
    """The absolute path of the file that it starts from (harness/starts.py); "" for a cold start."""

    keep_x: str = field(default="", compare=False)
    """The absolute path of the file that x goes to; "" where x is not kept."""

    @property
    def id(self) -> str:
        """Text that names the case within its suite; the same settings give the same text."""
        return f"{self.question}|r{self.repeat}"

    @property
    def question(self) -> str:
        """What the repeats of a case have in common: its id without the repeat."""
        s = self.settings
        limit = "none" if s.time_limit is None else f"{_exact(s.time_limit)}s"
        limit += " anytime" if self.anytime else ""
        tolerance = _exact(s.tolerance)
        warm = [f"from {start_hash(self.warm)[:12]}"] if self.warm is not None else []
        stay = [f"stay {_exact(s.stay)}"] if s.stay else []
        parts = (self.instance, self.solver, tolerance, s.device, f"{s.threads}t", limit)
        return "|".join((*parts, *warm, *stay))

    @cached_property
    def parsed(self) -> Spec:
        return parse_spec(self.spec)

    @cached_property
    def warm(self) -> Start | None:
        """Its start, read where it is first asked for; None for a cold one. Raises StartError."""
        return read_start(self.start) if self.start else None

    @cached_property
    def card(self) -> SolverCard:
        """What the solver is; it travels with the case to the process that runs it."""
        return self.known or cards.card(self.solver)

    def packed(self) -> dict[str, Any]:
        """The case and its card in the types of JSON."""
        return asdict(replace(self, known=None)) | {"known": packed(self.card)}

    @staticmethod
    def unpacked(plain: Mapping[str, Any]) -> Case:
        """The inverse of `packed`."""
        settings = Settings(**plain["settings"])
        return Case(**{**plain, "settings": settings, "known": unpacked(plain["known"])})


def question_of(case_id: str) -> str:
    """The id of a case without the number of its repeat, as in `Case.question`."""
    return case_id.rpartition("|r")[0]


def _exact(value: float) -> str:
    """Short where six digits say it, and never the same text for two numbers."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
