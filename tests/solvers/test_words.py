"""What solvers say when they do not solve: infeasible is their own word for it, and no x is None."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from solvers import registry

PROGRAM = """
import dataclasses, json, sys
import numpy as np
from harness.trust.probes import infeasible, known_optimum
from instances import Kind
from solvers import Settings, get_solver

solver, what = get_solver(sys.argv[1]), sys.argv[2]
lp = infeasible() if what == "infeasible" else known_optimum(Kind.SIMPLEX).lp
name, _, factor = what.partition("*")
if factor:
    lp = dataclasses.replace(lp, **{name: float(factor) * getattr(lp, name)})
answer = solver.run(solver.prepare(lp, Settings(time_limit=5.0, iteration_limit=10_000)))
proof = None
if answer.ray is not None:
    assert (answer.ray >= 0).all()
    q = lp.a * answer.ray[lp.destination]
    proof = float(np.minimum.reduceat(q, lp.offsets[:-1]).sum() - lp.b @ answer.ray)
said = {name: getattr(answer, name) for name in ("status", "raw_status", "iterations")}
print(json.dumps({**said, "x": answer.x is not None, "dual": answer.dual is not None, "proof": proof}))
"""


def answer(solver: str, what: str) -> dict[str, Any]:
    """Of a process of its own: highspy and OR-Tools cannot share one."""
    if not registry()[solver].available().ok:
        pytest.skip(f"{solver} is not installed")
    command = [sys.executable, "-c", PROGRAM, solver, what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("solver", ["scipy-highs-ds", "scipy-highs-ipm"])
def test_a_model_error_is_no_claim_of_infeasibility(solver: str) -> None:
    found = answer(solver, "a*1e25")
    assert found["status"] == "error"
    assert "Model error" in found["raw_status"]


def test_infeasible_or_unbounded_is_no_claim_of_infeasibility() -> None:
    found = answer("highs-pdlp", "infeasible")
    assert (found["status"], found["raw_status"]) == ("error", "Primal infeasible or unbounded")


@pytest.mark.parametrize("solver", ["scipy-highs-ds", "scipy-highs-ipm", "highs-ipx"])
def test_an_infeasible_instance_is_called_so_in_their_words(solver: str) -> None:
    found = answer(solver, "infeasible")
    assert found["status"] == "infeasible"
    assert "nfeasible" in found["raw_status"]


@pytest.mark.parametrize("solver", ["scs", "clarabel", "ortools-pdlp"])
def test_infeasible_comes_with_the_proof_that_the_solver_has(solver: str) -> None:
    found = answer(solver, "infeasible")
    assert found["status"] == "infeasible"
    assert found["proof"] > 0
    assert not found["x"]
    assert not found["dual"]


@pytest.mark.parametrize("what", ["b*1e299", "a*1e-310"])
def test_a_refusal_of_pdlp_has_no_x_but_its_reason(what: str) -> None:
    found = answer("ortools-pdlp", what)
    assert (found["status"], found["x"], found["dual"]) == ("error", False, False)
    assert "INVALID_PROBLEM" in found["raw_status"]
    assert "limit of" in found["raw_status"]


@pytest.mark.parametrize("solver", ["highs-pdlp", "highs-ipx", "highs-hipo"])
def test_a_count_that_was_not_made_is_none(solver: str) -> None:
    assert answer(solver, "c*1e30")["iterations"] is None
