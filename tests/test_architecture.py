"""The house: who may import whom, and what must never be imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

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


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_data_flows_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    for file in (ROOT / package).rglob("*.py"):
        name = file.relative_to(ROOT).as_posix()
        for module in imports(file):
            if module.partition(".")[0] in PACKAGES and (name, module.partition(".")[0]) not in EXCEPTIONS:
                assert any(f"{module}.".startswith(f"{prefix}.") for prefix in allowed), f"{name} imports {module}"


def test_the_referee_shares_no_code_with_a_solver() -> None:
    for name in ("referee", "repair", "sources"):
        assert not [m for m in imports(ROOT / "harness" / f"{name}.py") if m.startswith("solvers")]


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
    heavy = {"torch", "numba", "ortools", "matplotlib", "pandas", "pyarrow", "triton"}
    program = f"import sys, {module}; print(*{heavy} & {{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
