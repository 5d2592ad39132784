"""Finds adapters: the files of this folder, and entry points "dualbench.solvers" of other packages."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from instances.errors import InputError
from solvers.base import Solver

GROUP = "dualbench.solvers"
_NOT_ADAPTERS = {"base", "registry"}


@cache
def registry() -> dict[str, Solver]:
    """Solver by id, in alphabetical order. Importing an adapter must not import its solver's library."""
    found: dict[str, Solver] = {}
    for solver in (*_own(), *_of_other_packages()):
        if solver.id in found:
            raise InputError(f"two adapters call themselves {solver.id!r}: rename {type(solver).__module__}")
        found[solver.id] = solver
    return dict(sorted(found.items()))


def get_solver(solver_id: str) -> Solver:
    """The solver of that id, or the one that a Python file defines where `solver_id` is a path to it."""
    if solver_id.endswith(".py"):
        return _from_file(str(Path(solver_id).resolve()))
    try:
        return registry()[solver_id]
    except KeyError:
        raise InputError(
            f"unknown solver {solver_id!r}: use one of {', '.join(registry())}, or a path to a .py file"
        ) from None


@cache
def _from_file(path: str) -> Solver:
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise InputError(f"no solver file at {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        found = list(solvers_of(module))
    except (Exception, SystemExit) as error:
        raise InputError(f"{path} cannot be loaded ({type(error).__name__}: {error}): repair it") from error
    if len(found) != 1:
        raise InputError(f"{path} defines {len(found)} concrete subclasses of solvers.Solver: it must define one")
    _check_declaration(found[0], path)
    return found[0]


def _check_declaration(solver: Solver, path: str) -> None:
    for name in ("id", "title", "citation"):
        if not isinstance(getattr(solver, name, None), str):
            raise InputError(f"{path}: {type(solver).__name__}.{name} must be a text")
    if not isinstance(getattr(solver, "bytes_per_edge", None), (int, float)):
        raise InputError(f"{path}: {type(solver).__name__}.bytes_per_edge must be a number")
    if not is_dataclass(solver.Options):
        raise InputError(f"{path}: {type(solver).__name__}.Options must be a dataclass")


def solvers_of(module: ModuleType) -> Iterator[Solver]:
    """One instance of each concrete Solver class that `module` itself defines."""
    for _, member in inspect.getmembers(module, inspect.isclass):
        if issubclass(member, Solver) and not inspect.isabstract(member) and member.__module__ == module.__name__:
            yield member()


def _own() -> Iterator[Solver]:
    import solvers

    for info in pkgutil.iter_modules(solvers.__path__):
        if not info.ispkg and info.name not in _NOT_ADAPTERS:
            yield from solvers_of(importlib.import_module(f"solvers.{info.name}"))


def _of_other_packages() -> Iterator[Solver]:
    for point in entry_points(group=GROUP):
        yield point.load()()
