"""The peers' adapters: late imports, honest refusals, answers that agree."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness import solve
from harness.trust.probes import infeasible, known_optimum, several_kinds, with_gaps
from instances import Kind, Simplex, generate, parse_spec
from solvers import Availability, OptionError, Settings, Status, get_solver, registry
from solvers.base import INT32_LIMIT
from solvers.conic import to_conic
from tests.support.optimum import optimum

LIBRARIES = {"clarabel", "cuopt", "cupdlpx", "dualip", "highspy", "mlflow", "ortools", "scs", "torch"}


def in_process(program: str) -> Any:
    """What `program` prints as JSON in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_finding_the_adapters_and_asking_whether_they_can_run_imports_no_solver() -> None:
    program = f"""
import json, sys
from solvers import registry
found = {{solver.id: solver.available().ok for solver in registry().values()}}
print(json.dumps([len(found), sorted({LIBRARIES!r} & {{name.partition('.')[0] for name in sys.modules}})]))
"""
    count, loaded = in_process(program)
    assert count >= 13
    assert loaded == []


@pytest.mark.parametrize("solver", sorted(registry()))
def test_where_a_solver_is_not_available_it_says_why_and_what_to_do(solver: str) -> None:
    found = registry()[solver].available()
    assert found.ok or (found.reason and found.remedy)
    assert found.ok == bool(found.version)


@pytest.mark.parametrize("solver", ["cuopt", "cupdlpx"])
def test_solvers_for_gpus_ask_for_a_device_first(solver: str) -> None:
    from solvers.nvidia import cuda_devices

    found = registry()[solver].available()
    assert found.ok or cuda_devices() > 0 or "needs a CUDA device" in found.reason


@pytest.mark.parametrize(("first", "second"), [("highspy", "ortools-pdlp"), ("ortools.pdlp.python", "highs-ipx")])
def test_libraries_that_break_each_other_are_kept_apart(first: str, second: str) -> None:
    program = f"""
import json
try:
    import {first}
except ImportError:
    raise SystemExit(print("null"))
from solvers import get_solver
found = get_solver("{second}").available()
print(json.dumps([found.ok, found.reason, found.remedy]))
"""
    found = in_process(program)
    if found is None:
        pytest.skip(f"{first} is not installed")
    ok, reason, remedy = found
    assert not ok
    assert "loaded in this process" in reason
    assert "process of its own" in remedy


@pytest.mark.parametrize("solver", ["highs-ipx", "highs-pdlp", "scipy-highs-ds", "ortools-glop", "cuopt", "cupdlpx"])
def test_more_nonzeros_than_its_indices_count_are_refused(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, lp = registry()[solver], known_optimum(Kind.SIMPLEX).lp
    assert adapter.nonzeros_limit == INT32_LIMIT == 2**31 - 1
    assert adapter.unsuited(lp) == ""
    monkeypatch.setattr(type(adapter), "nonzeros_limit", 11)
    assert adapter.unsuited(lp) == f"12 nonzeros: the indices of {solver} count up to 11"
    assert adapter.unsuited(known_optimum(Kind.BOX).lp) == ""  # 6: boxes need no rows


def test_dualip_upstream_refuses_what_its_code_corrupts() -> None:
    solver, lp = registry()["dualip-upstream"], known_optimum(Kind.SIMPLEX).lp
    assert solver.unsuited(lp) == ""
    assert "one kind and one radius" in solver.unsuited(several_kinds([Kind.SIMPLEX, Kind.BOX]).lp)
    assert "one kind and one radius" in solver.unsuited(replace(lp, polytope=Simplex(z=np.array([1.0, 2.0, 1.0]))))
    assert "SIMPLEX_EQUALITY" in solver.unsuited(known_optimum(Kind.SIMPLEX_EQUALITY).lp)


def test_what_a_solver_does_not_take_is_skipped_with_the_reason() -> None:
    class OnlyBoxes(type(get_solver("scipy-highs-ds"))):  # type: ignore[misc]
        polytopes = frozenset({Kind.BOX})

        def available(self) -> Availability:
            return Availability(ok=True, version="1")

    from harness.solve import execute

    result = execute(known_optimum(Kind.SIMPLEX).lp, OnlyBoxes(), Settings())
    assert result.status is Status.SKIPPED
    assert result.reason == "scipy-highs-ds does not take SIMPLEX sources"


@pytest.mark.parametrize("kind", [Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY])
def test_kinds_that_a_solver_does_not_name_are_refused_in_one_line(kind: Kind) -> None:
    told = registry()["dualip-upstream"].unsuited(known_optimum(kind).lp)
    assert told == f"dualip-upstream does not take {kind.name} sources"


@pytest.mark.parametrize("solver", ["scipy-highs-ipm", "scs", "clarabel", "ortools-glop", "ortools-pdlp"])
@pytest.mark.parametrize("polytope", ["box-cut", "box-cut-eq"])
def test_general_solvers_agree_on_box_cuts(solver: str, polytope: str) -> None:
    if not registry()[solver].available().ok:
        pytest.skip("not installed")
    lp = generate(
        parse_spec(f"unit:sources=300,destinations=10,degree=5,seed=7,polytope={polytope},radius=2,upper=0.75")
    )
    result = solve(lp, solver, tolerance=1e-5, time_limit=20.0)
    assert result.status is Status.SOLVED, result.reason
    assert result.certificate is not None
    assert result.certificate.feasible_objective == pytest.approx(optimum(lp), rel=1e-4)


@pytest.mark.parametrize("solver", ["scs", "clarabel", "ortools-glop"])
def test_an_infeasible_instance_is_called_infeasible(solver: str) -> None:
    if not registry()[solver].available().ok:
        pytest.skip("not installed")
    result = solve(infeasible(), solver, time_limit=10.0)
    assert result.status is Status.INFEASIBLE
    assert result.answer is not None
    assert result.answer.x is None


@pytest.mark.parametrize("solver", ["scs", "clarabel", "ortools-glop"])
@pytest.mark.parametrize("family", ["dualip", "unit", "independent", "uniform"])
def test_the_tolerance_handed_over_certifies_the_one_asked_for(solver: str, family: str) -> None:
    if not registry()[solver].available().ok:
        pytest.skip("not installed")
    lp = generate(parse_spec(f"{family}:sources=1000,destinations=20,degree=5,seed=7"))
    result = solve(lp, solver, tolerance=1e-5, time_limit=20.0)
    assert result.status is Status.SOLVED, result.reason


def test_those_of_highs_solve_every_family() -> None:
    program = """
import json
from harness import solve
from instances import generate, parse_spec
from solvers import registry
found = []
for family in ("dualip", "unit", "independent", "uniform"):
    lp = generate(parse_spec(f"{family}:sources=1000,destinations=20,degree=5,seed=7"))
    for solver in ("highs-pdlp", "highs-hipdlp", "highs-ipx", "highs-hipo"):
        if registry()[solver].available().ok:
            found.append([family, solver, solve(lp, solver, tolerance=1e-5, time_limit=20.0, threads=2).status])
print(json.dumps(found))
"""
    found = in_process(program)
    if not found:
        pytest.skip("highspy is not installed")
    assert [one for one in found if one[2] != "solved"] == []


@pytest.mark.parametrize(
    ("solver", "options", "message"),
    [
        ("cuopt", {"method": "magic"}, "method='magic': expected one of concurrent, pdlp"),
        ("cuopt", {"num_gpus": 0}, "num_gpus=0: expected a whole number of at least 1"),
        ("scs", {"eps": 1}, "unknown option 'eps': known options and defaults are eps_factor=0.1"),
        ("highs-ipx", {"crossover": 1}, "crossover=1: expected bool"),
    ],
)
def test_options_are_checked_without_the_library(solver: str, options: dict[str, Any], message: str) -> None:
    from solvers import parse_options

    with pytest.raises(OptionError, match=message):
        parse_options(registry()[solver].Options, Settings(options=options))


def test_only_the_limits_that_are_set_reach_a_solver_under_its_own_names() -> None:
    assert Settings().limits(time="seconds", iterations="sweeps") == {}
    assert Settings(time_limit=2.0).limits(time="seconds", iterations="sweeps") == {"seconds": 2.0}
    both = Settings(time_limit=2.0, iteration_limit=7)
    assert both.limits(time="seconds", iterations="sweeps") == {"seconds": 2.0, "sweeps": 7}


def test_the_cone_form_is_the_explicit_form_with_bounds_as_rows() -> None:
    probe = several_kinds(list(Kind))
    form = to_conic(probe.lp)
    assert form.matrix.shape == (6 + 10 + 6 + 30 + 18, 30)  # '=' rows, budgets, '<=' rows, x >= 0, x <= u
    assert form.equalities == 6
    assert form.b[6:16].tolist() == probe.lp.b.tolist()
    x = np.zeros(30)
    x[0] = 1.0
    assert (form.matrix @ x)[6:16].tolist() == [2.0] + 9 * [0.0]
    assert form.dual(np.arange(70.0)).tolist() == np.arange(6.0, 16.0).tolist()
    assert to_conic(with_gaps(Kind.SIMPLEX).lp).equalities == 0


@pytest.mark.parametrize("option", ["feasibility_polishing", "presolve"])
def test_pdlp_solves_with_its_polishing_and_its_presolve(option: str) -> None:
    lp = generate(parse_spec("unit:sources=1000,destinations=20,degree=5,seed=7"))
    result = solve(lp, "ortools-pdlp", tolerance=1e-5, time_limit=20.0, options={option: True})
    assert result.status is Status.SOLVED, result.reason
