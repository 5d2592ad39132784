"""No answer of an adapter makes the whole decisions of `dualbench whole` look better than they are."""

from __future__ import annotations

import numpy as np
import pytest

from harness.integral.measure import Question, measure_whole
from harness.measured import Measurements
from instances import activities, generate, objective, parse_spec
from tests.harness.isolation.cheats import HEAD, in_the_run
from tests.harness.isolation.conftest import SPEC, Place
from tests.support.optimum import optimum

ANSWERS = {
    "ones, beyond the rows and for each user twice": "return answer(np.ones(lp.edges), np.ones(lp.destinations))",
    "prices that prove too much": "return answer(np.zeros(lp.edges), np.full(lp.destinations, -1.0))",
    "a referee of its own": """
        import harness.integral.judge, harness.referee, solvers.whole.rounding
        for module in (harness.integral.judge, harness.referee, solvers.whole.rounding):
            for name in ("certify", "judged_whole", "whole_point"):
                if hasattr(module, name):
                    setattr(module, name, lambda *a, **k: None)
        np.rint = lambda x: x
        return answer(np.full(lp.edges, 0.5), np.zeros(lp.destinations))
    """,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_gap_of_whole_decisions_is_that_of_the_decisions(place: Place, name: str) -> None:
    spec = parse_spec(SPEC)
    lp = generate(spec)
    adapter = place.folder / f"{name.split()[0]}.py"
    adapter.write_text(HEAD + in_the_run(ANSWERS[name]) + "\n    def mine(self): ...\n")
    question = Question(name="unit", spec=spec, solver=str(adapter), effort=1.0, threads=1)
    row = measure_whole(question, lp, place.isolated, Measurements(place.folder, "e", {}))
    x = np.load(place.folder / row.x_file)
    assert np.array_equal(x, np.rint(x))
    assert (activities(lp, x) <= lp.b).all()
    assert row.certificate["objective"] == pytest.approx(objective(lp, x))
    assert row.decided + sum(row.undecided.values()) == lp.sources
    missing = 1 - objective(lp, x) / optimum(lp)
    assert row.gap is None or row.gap >= missing - 1e-9
