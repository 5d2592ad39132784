"""Finds adapters: the files of this folder, and from outside single files and entry points "dualbench.solvers".

Importing an adapter runs code of its author. Here that happens in the process that calls: the user's own, or the child
that solves a case. The harness knows adapters from outside by their cards (harness/cards.py).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from instances.errors import InputError
from solvers.base import Availability, Solver
from solvers.card import DeclarationError, SolverCard, declaration, make_card

GROUP = "dualbench.solvers"
_NOT_ADAPTERS = {
    *("base", "card", "registry", "sharded", "start"),
    *("best_response", "general", "general_start", "greedy_jit", "near_start"),
}


@cache
def registry() -> dict[str, Solver]:
    """Solver of this package by id, in alphabetical order. Importing one must not import its library."""
    by_id: dict[str, Solver] = {}
    for solver in _own()[0]:
        if solver.id in by_id:
            raise InputError(f"two adapters call themselves {solver.id!r}: rename {type(solver).__module__}")
        by_id[solver.id] = solver
    return dict(sorted(by_id.items()))


def broken_files() -> tuple[str, ...]:
    """One line for each file of this folder that cannot be imported; the registry goes on without it."""
    return _own()[1]


def get_solver(solver_id: str) -> Solver:
    """The solver of that id, or the one that a Python file defines where `solver_id` is a path to it.

    A solver of another distribution is imported into this process.
    """
    if solver_id.endswith(".py"):
        return load_origin(str(Path(solver_id).resolve()))
    if solver_id in registry():
        return registry()[solver_id]
    for point in points_of_others(first=solver_id):
        solver = _try_point(point.value)
        if solver is not None and solver.id == solver_id:
            return solver
    raise unknown_solver(solver_id, registry())


def load(card: SolverCard) -> Solver:
    """The solver that `card` describes, imported into this process.

    Raises InputError where its file is no longer the one that was described.
    """
    if not card.origin:
        return registry()[card.id]
    if card.adapter_hash and file_hash(origin_file(card.origin)) != card.adapter_hash:
        raise InputError(f"{card.source} has changed since this run began: run it again")
    return load_origin(card.origin)


def load_origin(origin: str) -> Solver:
    """The solver at the absolute path of a file, or at "module:attribute" of another distribution."""
    return _from_file(origin, file_hash(origin)) if Path(origin).is_absolute() else _from_point(origin)


def unknown_solver(solver_id: str, known: Any) -> InputError:
    return InputError(f"unknown solver {solver_id!r}: use one of {', '.join(known)}, or a path to a .py file")


def points_of_others(first: str = "") -> list[EntryPoint]:
    """The entry points of all distributions by name, those called `first` before the others; nothing is imported."""
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name != first, point.name, point.value))
    return list(dict.fromkeys(points))  # a folder that is twice on the path lists its entry points twice


def origin_file(origin: str) -> str:
    """The file of the code at `origin`, "" where there is none; nothing is imported."""
    if Path(origin).is_absolute():
        return origin
    place: Any = None
    spec = None
    parts = origin.partition(":")[0].split(".")
    for end in range(1, len(parts) + 1):
        spec = _found(".".join(parts[:end]), place)
        if spec is None:
            return ""
        place = spec.submodule_search_locations
    return spec.origin if spec is not None and spec.has_location and spec.origin else ""


def file_hash(path: str) -> str:
    """SHA-256 of a file, "" where it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _found(name: str, place: Any) -> Any:
    """The spec of a module whose parent lies at `place`; importlib.util.find_spec would import the parent."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, place)
        if spec is not None:
            return spec
    return None


@cache
def _from_file(path: str, content: str) -> Solver:
    """content: hash of the file, so that an edited one is loaded again."""
    where = hashlib.sha256(os.fsencode(path)).hexdigest()
    name = f"dualbench_adapter_{Path(path).stem}_{where[:8]}_{content[:8]}"  # never that of a library it imports
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise InputError(f"no solver file at {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        defined = list(solvers_of(module))
    except (Exception, SystemExit) as error:
        raise InputError(f"{path} cannot be loaded ({type(error).__name__}: {error}): repair it") from error
    if len(defined) != 1:
        raise InputError(f"{path} defines {len(defined)} concrete subclasses of solvers.Solver: it must define one")
    _check_declaration(defined[0], path)
    return defined[0]


@cache
def _from_point(value: str) -> Solver:
    try:
        solver = EntryPoint(name="", value=value, group=GROUP).load()()
    except (Exception, SystemExit) as error:
        raise InputError(f"{value} cannot be loaded ({type(error).__name__}: {error}): repair it") from error
    if not isinstance(solver, Solver):
        raise InputError(f"{value} is no subclass of solvers.Solver: repair it")
    _check_declaration(solver, value)
    return solver


def _try_point(value: str) -> Solver | None:
    """A broken package of somebody else is no reason to refuse a good one."""
    try:
        return _from_point(value)
    except InputError:
        return None


def _check_declaration(solver: Solver, place: str) -> None:
    try:
        make_card(declaration(solver), Availability(ok=True))
    except DeclarationError as error:
        raise DeclarationError(f"{place}: {error}") from error


def solvers_of(module: ModuleType) -> Iterator[Solver]:
    """One instance of each concrete Solver class that `module` itself defines."""
    for _, member in inspect.getmembers(module, inspect.isclass):
        if issubclass(member, Solver) and not inspect.isabstract(member) and member.__module__ == module.__name__:
            yield member()


@cache
def _own() -> tuple[tuple[Solver, ...], tuple[str, ...]]:
    """The solvers of this folder, and one line for each file that cannot be imported."""
    own: list[Solver] = []
    broken: list[str] = []
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if info.ispkg or info.name in _NOT_ADAPTERS:
            continue
        try:
            own += solvers_of(importlib.import_module(f"solvers.{info.name}"))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one file that somebody added is not the end of all
            broken.append(f"solvers/{info.name}.py cannot be loaded ({type(error).__name__}: {error}): repair it")
    return tuple(own), tuple(broken)
