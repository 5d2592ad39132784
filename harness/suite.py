"""Suites: TOML files that say which instances, solvers and tolerances to run, validated key by key.

description = "one sentence"
instances = ["movielens", "dualip:sources=100000,destinations=40,degree=10,seed=42"]   # names or specs
solvers = ["blockpdhg", "ortools-pdlp"]
tolerances = [1e-2, 1e-4]
time_limit = 20.0          # seconds of `run`, for every case
grace = 40.0               # seconds beyond it after which a case is ended; without it, half the limit and 30 s
memory_limit = "4GiB"      # for a case and all its processes
threads = 2                # for every solver; without it, every CPU that affinity and quota leave
repeats = 3
[options.dualip]           # a solver's own options; of a file, by its path or by the id that it gives itself
gamma = 1e-3
[iteration_limits]
dualip = 1000
[[exclude]]                # combinations left out, with the reason that the report shows
instance = "..."
solver = "..."
reason = "..."
"""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

from harness import cards
from harness.case import Case
from harness.isolation.limits import parse_bytes
from instances import InputError, named_instances, parse_spec
from instances.cpus import usable_threads
from solvers import Settings
from solvers.card import SolverCard

_MOST_CASES = 1_000_000
_MOST_THREADS = 4096
_MOST = 2**63 - 1


class SuiteError(InputError):
    """A suite file or an override of it that cannot be run."""


@dataclass(frozen=True, kw_only=True)
class Exclude:
    instance: str
    solver: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A validated suite; `digest` names the content it was read from."""

    name: str
    digest: str
    instances: tuple[str, ...]
    solvers: tuple[str, ...]
    tolerances: tuple[float, ...]
    description: str = ""
    time_limit: float = 60.0
    grace: float | None = None
    memory_limit: str = ""
    threads: int = 0
    repeats: int = 1
    device: str = "cpu"
    dtype: str = "float32"
    seed: int = 0
    iteration_limits: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    exclude: tuple[Exclude, ...] = ()

    def __post_init__(self) -> None:
        for name in ("instances", "solvers", "tolerances"):
            if not getattr(self, name):
                raise SuiteError(f"suite {self.name}: {name} is empty, give at least one")
        self._check_size()
        parse_bytes(self.memory_limit)
        if self.grace is not None and not 0 <= self.grace < float("inf"):
            raise SuiteError(f"suite {self.name}: grace={self.grace}: expected seconds >= 0")
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
        if self.repeats < 1 or self.threads < 0:
            raise SuiteError(f"suite {self.name}: repeats={self.repeats}, threads={self.threads}: both must be >= 1")
        if self.threads > _MOST_THREADS:
            raise SuiteError(f"suite {self.name}: threads={self.threads}: at most {_MOST_THREADS}")
        count = len(self.instances) * len(self.solvers) * len(self.tolerances) * self.repeats
        if count > _MOST_CASES:
            raise SuiteError(f"suite {self.name} has more than {_MOST_CASES:,} cases: take fewer repeats")

    def _refuse_repeated(self, name: str, meanings: Sequence[Any]) -> None:
        """What is listed twice would be run twice; `meanings` are what the entries of the list `name` stand for."""
        first: dict[Any, Any] = {}
        for entry, meaning in zip(getattr(self, name), meanings, strict=True):
            if meaning in first:
                other = f" (as {first[meaning]!r})" if entry != first[meaning] else ""
                remedy = "leave one out, or give repeats"
                raise SuiteError(f"suite {self.name}: {name} lists {entry!r} twice{other}: {remedy}")
            first[meaning] = entry

    def _check_ids(self) -> None:
        """Rows and report tell solvers apart by their ids."""
        named: dict[str, str] = {}
        for solver in self.solvers:
            other = named.setdefault(self.card(solver).id, solver)
            if other != solver:
                both = f"{other} and {solver} both call themselves {self.card(solver).id!r}"
                raise SuiteError(f"suite {self.name}: {both}: rename one")

    def _check_key(self, key: str) -> None:
        """A key of options or iteration_limits: a solver of this suite, or another one that can be named."""
        if any(self._means(key, solver) for solver in self.solvers):
            return
        if not key.endswith(".py"):
            self.settings(key, self.tolerances[0])
        elif not Path(key).is_file():
            raise SuiteError(f"suite {self.name}: no solver file at {key}")

    def _means(self, key: str, solver: str) -> bool:
        """Whether `key` names `solver`, by the same text, by its id, or by another path to its file."""
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
        """What `solver` is, by id or path: looked up once, so that it stays the same while the suite runs."""
        if solver not in self._cards:
            self._cards[solver] = cards.card(solver)
        return self._cards[solver]

    @cached_property
    def _cards(self) -> dict[str, SolverCard]:
        return {}

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
            paths = {self.card(solver).id: solver for solver in self.solvers}
            changed["solvers"] = tuple(paths.get(solver, solver) for solver in changed["solvers"])
            for what in ("options", "iteration_limits"):  # an id is known as long as its solver is in the suite
                entries: Mapping[str, Any] = changed.get(what, getattr(self, what))
                changed[what] = {paths.get(key, key): value for key, value in entries.items()}
        return dataclasses.replace(self, **changed)

    def cases(self) -> Iterator[Case]:
        """Every case in running order: by instance, repeats outermost so that no solver runs twice in a row.

        A solver whose answer does not depend on the tolerance runs once, at the tightest.
        """
        for instance in self.instances:
            for repeat in range(self.repeats):
                for tolerance in sorted(self.tolerances, reverse=True):
                    for solver in self.solvers:
                        if tolerance == min(self.tolerances) or not self.card(solver).exact:
                            yield Case(
                                suite=self.name,
                                instance=instance,
                                spec=parse_spec(spec_text(instance)).text,
                                solver=solver,
                                settings=self.settings(solver, tolerance),
                                repeat=repeat,
                                known=self.card(solver),
                            )

    def excluded(self, case: Case) -> str:
        """The reason why the suite leaves this case out, or "" where it does not."""
        matching = (e for e in self.exclude if e.instance == case.instance and self._means(e.solver, case.solver))
        return next((e.reason for e in matching), "")


def suite_names() -> list[str]:
    return sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml"))


def load_suite(name: str) -> Suite:
    """A suite of this package by name, or one from a TOML file by path."""
    path = Path(name)
    if path.suffix.lower() == ".toml":
        if not path.is_file():
            raise SuiteError(f"no suite file at {name}")
        return parse_suite(path.stem, path.read_bytes())
    if name not in suite_names():
        raise SuiteError(f"unknown suite {name!r}: use one of {', '.join(suite_names())}, or a path to a .toml file")
    return parse_suite(name, (_folder() / f"{name}.toml").read_bytes())


def parse_suite(name: str, content: bytes) -> Suite:
    """Validated from TOML; SuiteError names the key that is wrong and the ones allowed."""
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))  # some editors begin a file with a mark
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number of too many digits, too deep
        raise SuiteError(f"suite {name} is not TOML: {error}") from error
    hints = {k: v for k, v in get_type_hints(Suite).items() if k not in ("name", "digest")}
    _check_keys(f"suite {name}", table, hints)
    for key in ("instances", "solvers", "tolerances"):
        if key not in table:
            raise SuiteError(f"suite {name} lacks {key}: give a list")
    values = {key: _value(name, key, value) for key, value in table.items()}
    return Suite(name=name, digest=hashlib.sha256(content).hexdigest()[:16], **values)


def spec_text(instance: str) -> str:
    """The spec of a named instance, or the text itself."""
    return named_instances().get(instance, instance)


def _value(suite: str, key: str, value: Any) -> Any:
    """`value` checked and made immutable."""
    if key == "exclude":
        return tuple(_exclude(suite, entry) for entry in _list_of(suite, key, value, dict))
    if key in ("instances", "solvers"):
        return tuple(_list_of(suite, key, value, str))
    if key == "tolerances":
        return tuple(float(v) for v in _list_of(suite, key, value, (int, float)) if _fits(suite, key, v))
    expected: Any = {"time_limit": (int, float), "grace": (int, float), "options": dict, "iteration_limits": dict}.get(
        key, get_type_hints(Suite)[key]
    )
    if not isinstance(value, expected) or isinstance(value, bool):
        raise SuiteError(f"suite {suite}: {key}={value!r} has the wrong type")
    _fits(suite, key, value)
    if key == "iteration_limits" and not all(isinstance(v, int) and _fits(suite, key, v) for v in value.values()):
        raise SuiteError(f"suite {suite}: iteration_limits are whole numbers, one for each solver")
    if key == "options" and not all(isinstance(v, dict) for v in value.values()):
        raise SuiteError(f"suite {suite}: options are tables, one for each solver: [options.SOLVER]")
    return value


def _fits(suite: str, key: str, value: Any) -> bool:
    if isinstance(value, int) and abs(value) > _MOST:
        raise SuiteError(f"suite {suite}: {key} is too large: at most 2^63 - 1")
    return True


def _list_of(suite: str, key: str, value: Any, kind: Any) -> Sequence[Any]:
    if not isinstance(value, list) or not all(isinstance(v, kind) and not isinstance(v, bool) for v in value):
        raise SuiteError(f"suite {suite}: {key}={value!r}: expected a list, see an existing suite")
    return value


def _exclude(suite: str, entry: Mapping[str, Any]) -> Exclude:
    keys = [f.name for f in dataclasses.fields(Exclude)]
    _check_keys(f"suite {suite}, exclude", entry, keys)
    if set(entry) != set(keys) or not all(isinstance(v, str) for v in entry.values()):
        raise SuiteError(f"suite {suite}: exclude needs the texts {', '.join(keys)}")
    return Exclude(**entry)


def _check_keys(where: str, table: Mapping[str, Any], allowed: Any) -> None:
    for key in table:
        if key not in allowed:
            raise SuiteError(f"{where}: unknown key {key!r}, allowed are {', '.join(allowed)}")


def _folder() -> Path:
    """Beside this file: by name, `harness` may be a folder of somebody else's project."""
    return Path(__file__).parent / "suites"
