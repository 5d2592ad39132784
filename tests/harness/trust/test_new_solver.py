"""A new adapter works as written, and the README shows that very file."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from harness import solve
from harness.cli import invoke
from instances import generate, parse_spec

README = Path(__file__).resolve().parents[3] / "README.md"


def template() -> str:
    return (resources.files("harness.trust") / "template" / "subgradient.py").read_text()


def test_the_worked_example_of_the_readme_is_the_template() -> None:
    assert f"```python\n{template()}```" in README.read_text()


def test_what_new_solver_writes_passes_its_own_test(tmp_path: Path) -> None:
    assert invoke(["new-solver", "my-solver", "--out", str(tmp_path / "new")]) == 0
    adapter, test = tmp_path / "new" / "my_solver.py", tmp_path / "new" / "test_my_solver.py"
    assert "class MySolver(Solver):" in adapter.read_text()
    assert 'id = "my-solver"' in adapter.read_text()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    lp = generate(parse_spec("dualip:sources=200,destinations=10,degree=4,seed=1"))
    certificate = solve(lp, str(adapter)).certificate
    assert certificate is not None
    assert certificate.certified_gap is not None


def test_nothing_is_overwritten_and_names_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["new-solver", "twice", "--out", str(tmp_path)]) == 0
    (tmp_path / "twice.py").write_text("mine")
    assert invoke(["new-solver", "twice", "--out", str(tmp_path)]) == 2
    assert (tmp_path / "twice.py").read_text() == "mine"
    assert invoke(["new-solver", "../out", "--out", str(tmp_path)]) == 2
    assert "lower-case words joined by hyphens" in capsys.readouterr().err
