"""Checks in processes that never loaded the adapter before: what it does while it is loaded, and when nobody watches.

Each takes the card of an adapter and runs in a fork of a process that has imported the harness and no adapter.
"""

from __future__ import annotations

import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.case import Case
from harness.forks import Fork, Tell
from harness.isolation.isolated import Isolated
from harness.solve import execute
from harness.trust.honesty import longer_settings, new_seeds, worked_again
from harness.trust.spending import cpu_seconds, spend
from harness.trust.trials import (
    Warned,
    larger,
    plainest_kind,
    plainest_probe,
    require,
    settings_for,
)
from instances import generate, parse_spec
from instances.polytopes import polytope_kinds
from solvers.card import SolverCard
from solvers.registry import load

#: Modules whose functions and classes stay as they are: ours, and those of clocks, files and numbers.
_OURS = ("harness", "instances", "reports", "solvers")
_SHARED = (
    "builtins",
    "json",
    "math",
    "multiprocessing.connection",
    "numpy",
    "os",
    "resource",
    "socket",
    "struct",
    "time",
)
_SLOW_IMPORT = 1.0
_LIMIT = 30.0
_SPEC = "unit:sources=300,destinations=12,degree=4,seed=5,polytope="


def check_loading(card: SolverCard) -> str:
    """Importing costs next to nothing: the solver's own library is for prepare."""
    before = cpu_seconds()
    solver = load(card)
    imported = cpu_seconds() - before
    solver.available()
    spent = f"{imported:.2g} CPU seconds to import, {cpu_seconds() - before - imported:.2g} for available()"
    if imported > _SLOW_IMPORT:
        raise Warned(f"{spent}: every listing of solvers waits for it")
    return spent


def check_meddling(card: SolverCard) -> str:
    """No function or class of the harness, of a clock or of NumPy is another after the adapter was loaded and run."""
    before = _attributes()
    solver = load(card)
    solver.available()
    lp = plainest_probe(solver).lp
    settings = settings_for(solver)
    solver.unsuited(lp)
    solver.run(solver.prepare(lp, settings))
    changed = [name for name, value in _attributes().items() if name in before and before[name] is not value]
    gone = sorted(before.keys() - _attributes().keys())
    require(not changed and not gone, f"it replaced {', '.join([*changed, *gone][:6])}")
    return f"{len(before):,} functions and classes as before"


def check_same_unwatched(card: SolverCard) -> str:
    """What it claims here it claims in a run as well, where a process that it cannot reach judges."""
    solver = load(card)
    spec = _SPEC + polytope_kinds()[plainest_kind(solver)].spec_name
    settings = settings_for(solver, time_limit=5.0)

    here = execute(generate(parse_spec(spec)), solver, settings)
    with tempfile.TemporaryDirectory() as folder:
        case = Case(suite="check", instance=spec, spec=spec, solver=card.id, settings=settings, known=card)
        isolated = Isolated(settings.threads, Path(folder) / "log")
        try:
            there = isolated.run(case, lambda _: None)
        finally:
            isolated.stop()

    both = f"{here.status} here, {there.status} in a run"
    require(here.status == there.status, f"{both}: {there.reason or here.reason}")
    return both


def check_no_memory_on_disk(card: SolverCard) -> str:
    """A process that solves what another one has solved works as much."""
    return worked_again([_seconds_of_a_process(card, seed) for seed in new_seeds()])


def _seconds_of_a_process(card: SolverCard, seed: int) -> float:
    """CPU seconds of a solve in a process of its own, after a warm-up on another instance."""

    def job(tell: Tell) -> None:
        solver = load(card)
        settings = longer_settings(solver)
        spend(solver, larger(solver), settings)
        tell(spend(solver, larger(solver, seed), settings).whole)

    values, end = Fork(job).finish(_LIMIT)
    require(bool(values), f"a solve in a process of its own: {end}")
    return float(values[0])


def _attributes() -> dict[str, Any]:
    """Functions, classes and methods by dotted name."""
    attributes: dict[str, Any] = {}
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and (name.partition(".")[0] in _OURS or name in _SHARED):
            for attribute, value in list(vars(module).items()):
                if callable(value):
                    attributes[f"{name}.{attribute}"] = value
                if isinstance(value, type) and value.__module__ == name:
                    attributes |= {f"{name}.{attribute}.{k}": v for k, v in vars(value).items() if callable(v)}
    return attributes


#: The checks by name, in the order of this file.
CHECKS: dict[str, Callable[[SolverCard], str]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
