"""The doctor looks at everything that matters and gives a remedy for anything that is not green."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import invoke
from harness.environment import environment
from harness.trust import doctor
from harness.trust.doctor import Line, State, diagnose
from solvers import registry


@pytest.fixture(scope="module")
def found() -> list[Line]:
    """What it says of this machine: it asks every solver, which takes seconds."""
    return list(diagnose())


def versions() -> Line:
    return next(line for line in diagnose() if line.topic == "versions")


def test_every_topic_is_looked_at_and_has_a_remedy_where_it_is_not_green(found: list[Line]) -> None:
    lines = {line.topic: line for line in found}
    assert {"Python", "versions", "cores", "load", "governor", "turbo", "memory", "swap", "GPU", "CUDA"} <= set(lines)
    assert {"Gloo", "NCCL", "rlimits", *registry()} <= set(lines)
    assert lines["Python"].state is State.GREEN
    for line in lines.values():
        assert line.detail
        assert bool(line.remedy) == (line.state is not State.GREEN), line.topic


def test_other_versions_than_pinned_are_yellow_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = tmp_path / "constraints.txt"
    pinned.write_text("# exact\nnumpy==1.0.0\nnot-installed-here==3\n")
    monkeypatch.setattr(doctor, "_CONSTRAINTS", pinned)
    line = versions()
    assert line.state is State.YELLOW
    assert "numpy" in line.detail
    assert "(pinned 1.0.0)" in line.detail
    assert "not-installed-here" not in line.detail
    assert "pip install --constraint" in line.remedy


def test_a_checkout_is_compared_with_its_constraints() -> None:
    assert "no constraints.txt" not in versions().detail


def test_an_installation_without_constraints_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_CONSTRAINTS", tmp_path / "none.txt")
    assert "no constraints.txt" in versions().detail


def test_the_command_prints_one_line_a_topic(found: list[Line], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["doctor"]) == int(any(line.state is State.RED for line in found))
    text = capsys.readouterr().out
    for line in found:
        assert line.topic in text
    solvers = [line for line in found if line.topic in registry()]
    assert text.count("green") >= sum(line.state is State.GREEN for line in solvers) > 0


def test_the_same_facts_are_in_every_environment_row() -> None:
    facts = environment()
    assert {"python", "cpu", "cores", "affinity", "governor", "turbo", "memory_bytes", "swap_bytes", "gpu"} <= set(
        facts
    )
    assert facts["id"] == environment()["id"]
