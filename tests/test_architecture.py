"""The house: who may import whom, and what must never be imported."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from harness.isolation.__main__ import PRELOADED

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"instances", "solvers", "harness", "reports"}
MAY_IMPORT = {
    "instances": set(),
    "solvers": {"instances"},
    "harness": {"instances", "solvers"},
    "reports": {"harness.records"},
}
#: The command line alone calls the reports.
EXCEPTIONS = {("harness/cli.py", "reports")}


#: What the engine may use of `solvers` beside itself: contracts, no algorithm.
CONTRACTS = {"solvers.base", "solvers.settings", "solvers.watching"}


def imports(file: Path) -> set[str]:
    """Everything that a file imports, at its top, within functions and for types alone."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def modules() -> dict[str, Path]:
    """Our modules by dotted name."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if "template" not in file.parts]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return dict(zip(names, files, strict=True))


def module_of(name: str) -> str:
    """The module of ours that `name`, a module or something in one, is or lies in; "" where it is not ours."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


@cache
def graph() -> dict[str, set[str]]:
    """The modules of ours that each of ours imports."""
    return {name: {module_of(i) for i in imports(file)} - {"", name} for name, file in modules().items()}


def reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """What `start` imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Sets of modules that all import each other, directly or through others."""
    reach = {name: reached(graph, name) for name in graph}
    found = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph}
    return [set(circle) for circle in sorted(found, key=sorted) if circle]


def test_a_circle_is_found_however_long() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]


def test_late_imports_and_those_for_types_count(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("if TYPE_CHECKING:\n    from p import b\ndef f():\n    import p.c\n")
    assert imports(file) == {"p.b", "p.c"}


def test_no_modules_import_each_other() -> None:
    assert circles(graph()) == []


def test_the_engine_imports_no_algorithm() -> None:
    for name, imported in graph().items():
        if name.startswith("solvers.engine"):
            others = {module for module in imported if module.startswith("solvers")} - CONTRACTS
            assert all(module.startswith("solvers.engine") for module in others), f"{name} imports {sorted(others)}"


def test_what_is_installed_has_every_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {name for name, file in modules().items() if file.name == "__init__.py"} - {"harness.dualbench_pytest"}
    assert set(listed) == folders | {"dualbench_pytest"}


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_data_flows_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    for file in (ROOT / package).rglob("*.py"):
        name = file.relative_to(ROOT).as_posix()
        for module in imports(file):
            if module.partition(".")[0] in PACKAGES and (name, module.partition(".")[0]) not in EXCEPTIONS:
                assert any(f"{module}.".startswith(f"{prefix}.") for prefix in allowed), f"{name} imports {module}"


def test_the_referee_shares_no_code_with_a_solver() -> None:
    """What proves, that is: from solvers it knows the contract alone, and of the engine nothing."""
    proving = {"harness.referee", *reached(graph(), "harness.referee")}
    assert not {name for name in proving if name.startswith("solvers")}


def test_what_a_server_loads_before_its_first_case_is_there() -> None:
    ours = [name for name in PRELOADED if name.partition(".")[0] in PACKAGES]
    assert ours
    assert [name for name in ours if name not in modules()] == []


def test_nothing_that_is_installed_for_dualbench_is_jax() -> None:
    seen, waiting = set(), ["dualbench"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed
        waiting += [
            need.split(";")[0].split("[")[0].strip(" <>=!~0123456789.,()") for need in needs if "extra" not in need
        ]
    assert {"torch", "ortools", "scipy"} <= seen
    assert not {"jax", "jaxlib"} & seen


def test_a_full_run_loads_no_jax(tmp_path: Path) -> None:
    program = f"""
import sys
from harness.cli import invoke
spec = "unit:sources=100,destinations=10,degree=3,seed=1"
assert invoke(["run", "smoke", "--instance", spec, "--tolerance", "0.01", "--out", r"{tmp_path / "out"}"]) == 0
from harness import solve
from instances import generate, parse_spec
from solvers import registry
for solver in registry().values():
    if solver.available().ok:  # some need a GPU, and highspy and OR-Tools cannot share a process
        solve(generate(parse_spec(spec)), solver.id, tolerance=0.01, time_limit=5.0)
assert not [m for m in sys.modules if m.partition(".")[0] in ("jax", "jaxlib")]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["instances", "solvers", "harness", "harness.cli", "reports"])
def test_importing_a_package_loads_no_heavy_library(module: str) -> None:
    heavy = {"torch", "numba", "ortools", "jinja2", "matplotlib", "pandas", "pyarrow", "triton"}
    program = f"import sys, {module}; print(*{heavy} & {{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
