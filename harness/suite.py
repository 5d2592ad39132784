"""A suite: which instances, solvers and tolerances to run, and the cases that follow from it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness import cards
from harness.anytime import with_shorter_limits
from harness.case import Case
from harness.isolation.limits import parse_bytes
from harness.least_runs import AUTO, MOST_RUNS
from instances import InputError, named_instances, parse_spec
from instances.cpus import usable_threads
from instances.spec import USUAL_DRIFT
from solvers import Settings
from solvers.card import SolverCard

_MOST_CASES = 1_000_000
_MOST_THREADS = 4096


class SuiteError(InputError):
    """A suite file or an override of it that cannot be run."""


@dataclass(frozen=True, kw_only=True)
class Exclude:
    """A combination that is left out, and the reason that the report shows."""

    instance: str
    solver: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A validated suite."""

    name: str
    """The name of the suite, or of its file."""

    digest: str
    """A hash of the content that it was read from."""

    instances: tuple[str, ...]
    """Names of instances, or specs."""

    solvers: tuple[str, ...]
    """Ids of solvers, paths of their files, or names of variants."""

    tolerances: tuple[float, ...]
    """Certified gaps to ask for."""

    description: str = ""
    """One sentence, which the report shows."""

    time_limit: float = 60.0
    """Seconds of run for every case."""

    grace: float | None = None
    """Seconds beyond it after which a case is ended from outside; None for half the limit and 30 s."""

    memory_limit: str = ""
    """Memory of a case and all its processes, such as 4GiB; "" without limit."""

    threads: int = 0
    """Threads of every solver; 0 for every CPU that affinity and quota leave."""

    repeats: int | str = 1
    """How often each case is run; "auto" for as often as its time asks for (harness/least_runs.py)."""

    device: str = "cpu"
    """cpu or cuda, for the solvers that run on both."""

    dtype: str = "float32"
    """float32 or float64, for the solvers that can choose."""

    seed: int = 0
    """For the solvers that draw numbers."""

    iteration_limits: Mapping[str, int] = field(default_factory=dict)
    """By solver."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """A solver's own options, by solver."""

    reference: bool = False
    """Whether the reference case runs at the start, in the middle and at the end (harness/reference.py)."""

    price_per_hour: float | None = None
    """Dollars that an hour of the machine costs; None where nobody says."""

    anytime: bool = False
    """Whether iterative solvers are run at a row of shorter time limits as well (harness/anytime.py)."""

    text: str = field(default="", repr=False)
    """The TOML that it was read from."""

    exclude: tuple[Exclude, ...] = ()
    """Combinations that are left out."""

    days: int = 0
    """Days after the first on which every instance is solved again (harness/recurring); 0 for single solves."""

    drifts: tuple[float, ...] = (USUAL_DRIFT,)
    """Drifts of generated instances from day to day; each gives a series of its own."""

    stays: tuple[float, ...] = ()
    """Values of Settings.stay to solve again with, for the solvers that take it."""

    variants: Mapping[str, str] = field(default_factory=dict)
    """Id or path of the solver that stands behind a name; the options of a variant stand under its name."""

    def __post_init__(self) -> None:
        for name in ("instances", "solvers", "tolerances"):
            if not getattr(self, name):
                raise SuiteError(f"suite {self.name}: {name} is empty, give at least one")
        self._check_size()
        self._check_days()
        parse_bytes(self.memory_limit)
        if self.grace is not None and not 0 <= self.grace < float("inf"):
            raise SuiteError(f"suite {self.name}: grace={self.grace}: expected seconds >= 0")
        if self.price_per_hour is not None and not 0 <= self.price_per_hour < float("inf"):
            raise SuiteError(f"suite {self.name}: price_per_hour={self.price_per_hour}: expected dollars >= 0")
        if self.device.partition(":")[0] not in ("cpu", "cuda"):
            raise SuiteError(f"device={self.device!r}: expected cpu or cuda")

        self._refuse_repeated("instances", [parse_spec(spec_text(instance)).text for instance in self.instances])
        self._refuse_repeated("solvers", self.solvers)
        self._refuse_repeated("tolerances", self.tolerances)

        for solver in self.solvers:
            cards.check_settings(self.card(solver), self.settings(solver, self.tolerances[0]))
        for tolerance in self.tolerances:
            self.settings(self.solvers[0], tolerance)
        self._check_ids()
        for key in (*self.options, *self.iteration_limits):
            self._check_key(key)

    def _check_size(self) -> None:
        if isinstance(self.repeats, str) and self.repeats != AUTO:
            raise SuiteError(f"suite {self.name}: repeats={self.repeats!r}: expected a whole number or {AUTO!r}")
        if self.most_repeats < 1 or self.threads < 0:
            raise SuiteError(f"suite {self.name}: repeats={self.repeats}, threads={self.threads}: both must be >= 1")
        if self.threads > _MOST_THREADS:
            raise SuiteError(f"suite {self.name}: threads={self.threads}: at most {_MOST_THREADS}")
        count = len(self.instances) * len(self.solvers) * len(self.tolerances) * self.most_repeats
        if count > _MOST_CASES:
            raise SuiteError(f"suite {self.name} has more than {_MOST_CASES:,} cases: take fewer repeats")

    def _check_days(self) -> None:
        if self.days < 0:
            raise SuiteError(f"suite {self.name}: days={self.days}: expected a whole number >= 0")
        for name in ("drifts", "stays"):
            self._refuse_repeated(name, getattr(self, name))
        if not self.drifts or not all(0 <= drift <= 1 for drift in self.drifts):
            raise SuiteError(f"suite {self.name}: drifts={list(self.drifts)}: expected numbers from 0 to 1")
        if not all(0 < stay < math.inf for stay in self.stays):
            raise SuiteError(f"suite {self.name}: stays={list(self.stays)}: expected numbers > 0")

    def _refuse_repeated(self, name: str, meanings: Sequence[Any]) -> None:
        """Refuse duplicates in the list `name`; `meanings` are its entries resolved: two texts may mean the same."""
        first: dict[Any, Any] = {}
        for entry, meaning in zip(getattr(self, name), meanings, strict=True):
            if meaning in first:
                other = f" (as {first[meaning]!r})" if entry != first[meaning] else ""
                remedy = "leave one out, or give repeats"
                raise SuiteError(f"suite {self.name}: {name} lists {entry!r} twice{other}: {remedy}")
            first[meaning] = entry

    def _check_ids(self) -> None:
        """Rows and report tell solvers apart by their ids, and variants by their names."""
        named: dict[str, str] = {}
        asked: dict[str, str] = {}
        for solver in self.solvers:
            name = solver if solver in self.variants else self.card(solver).id
            other = named.setdefault(name, solver)
            if other != solver:
                raise SuiteError(f"suite {self.name}: {other} and {solver} both call themselves {name!r}: rename one")

            settings = self.settings(solver, self.tolerances[0])
            asks = [self.card(solver).id, settings.iteration_limit, settings.options]
            same = json.dumps(asks, sort_keys=True, default=str)
            other = asked.setdefault(same, solver)
            if other != solver:
                raise SuiteError(f"suite {self.name}: {other} and {solver} are the same solver, asked the same")

    def _check_key(self, key: str) -> None:
        """A key of options or iteration_limits: a solver of this suite, or another one that can be named."""
        if any(self._means(key, solver) for solver in self.solvers):
            return
        if not key.endswith(".py"):
            self.settings(key, self.tolerances[0])
        elif not Path(key).is_file():
            raise SuiteError(f"suite {self.name}: no solver file at {key}")

    def _means(self, key: str, solver: str) -> bool:
        """Whether `key` names `solver`: by its text, id or another path to its file, a variant by its name alone."""
        if solver in self.variants:
            return key == solver
        card = self.card(solver)
        return key in (solver, card.id) or (key.endswith(".py") and str(Path(key).resolve()) == card.origin)

    def _of(self, solver: str, what: str, default: Any) -> Any:
        """The entry of `solver` in the table `what`."""
        table: Mapping[str, Any] = getattr(self, what)
        keys = [key for key in table if self._means(key, solver)]
        if len(keys) > 1:
            raise SuiteError(f"suite {self.name}: {what} of {solver} are given twice, as {' and '.join(keys)}")
        return table[keys[0]] if keys else default

    def card(self, solver: str) -> SolverCard:
        """What `solver` is, by id, path or name: looked up once, so that it stays the same while the suite runs."""
        if solver not in self._cards:
            self._cards[solver] = cards.card(self.variants.get(solver, solver))
        return self._cards[solver]

    @cached_property
    def _cards(self) -> dict[str, SolverCard]:
        return {}

    @property
    def most_repeats(self) -> int:
        """The largest number of runs of a case."""
        return self.repeats if isinstance(self.repeats, int) else MOST_RUNS

    def settings(self, solver: str, tolerance: float) -> Settings:
        """What `solver` is asked for; a solver that does not run on the suite's device runs on its first one."""
        kind = self.device.partition(":")[0]
        devices = self.card(solver).devices
        return Settings(
            tolerance=tolerance,
            time_limit=self.time_limit,
            iteration_limit=self._of(solver, "iteration_limits", None),
            threads=self.threads or usable_threads(),
            device=self.device if kind in devices else devices[0],
            dtype=self.dtype,
            seed=self.seed,
            options=self._of(solver, "options", {}),
        )

    def override(self, **changes: Any) -> Suite:
        """The suite with the given fields changed; None and empty leave a field as it is.

        A solver that the suite names by its path may be named by its id.
        """
        changed = {k: v for k, v in changes.items() if v is not None and v != ()}
        if "solvers" in changed:
            paths = {self.card(solver).id: solver for solver in self.solvers if solver not in self.variants}
            changed["solvers"] = tuple(paths.get(solver, solver) for solver in changed["solvers"])
            for what in ("options", "iteration_limits"):  # an id is known as long as its solver is in the suite
                entries: Mapping[str, Any] = changed.get(what, getattr(self, what))
                changed[what] = {paths.get(key, key): value for key, value in entries.items()}
        return dataclasses.replace(self, **changed)

    def cases(self) -> Iterator[Case]:
        """Every case in running order: by instance, repeats outermost so that no solver runs twice in a row.

        A solver that is exact runs once, at the tightest tolerance: with `anytime` the only one, after shorter limits.
        """
        if not self.anytime:
            return self._in_order(self.tolerances)
        return with_shorter_limits(self._in_order((min(self.tolerances),)))

    def _in_order(self, tolerances: Sequence[float]) -> Iterator[Case]:
        asked = [  # read once: the number of usable threads comes from many files of the system
            (solver, self.settings(solver, tolerance))
            for tolerance in sorted(tolerances, reverse=True)
            for solver in self.solvers
            if tolerance == min(self.tolerances) or not self.card(solver).exact
        ]
        for instance in self.instances:
            spec = parse_spec(spec_text(instance)).text
            for repeat in range(self.most_repeats):
                for solver, settings in asked:
                    yield Case(
                        suite=self.name,
                        instance=instance,
                        spec=spec,
                        solver=solver,
                        variant=solver if solver in self.variants else "",
                        settings=settings,
                        repeat=repeat,
                        known=self.card(solver),
                    )

    def excluded(self, case: Case) -> str:
        """The reason why the suite leaves this case out, or "" where it does not."""
        matching = (e for e in self.exclude if e.instance == case.instance and self._means(e.solver, case.solver))
        return next((e.reason for e in matching), "")


def spec_text(instance: str) -> str:
    """The spec of a named instance, or the text itself."""
    return named_instances().get(instance, instance)
