"""A trick that makes an adapter look better than it is shows in the time, the status or the reason of its record."""

from __future__ import annotations

import pytest

from tests.harness.isolation.cheats import IN_PREPARE_INSTEAD, IN_RUN, SECONDS, in_the_run, run_adapter
from tests.harness.isolation.conftest import Place


@pytest.mark.parametrize("name", IN_RUN)
def test_work_wherever_it_hides_is_time_of_run(place: Place, name: str) -> None:
    outcome = run_adapter(place, IN_RUN[name])
    assert outcome.status == "solved", outcome.reason
    assert outcome.isolated
    assert outcome.seconds.run is not None
    assert outcome.seconds.run > SECONDS / 2


@pytest.mark.parametrize("name", IN_PREPARE_INSTEAD)
def test_work_before_the_run_is_time_of_prepare(place: Place, name: str) -> None:
    outcome = run_adapter(place, IN_PREPARE_INSTEAD[name])
    assert outcome.status == "solved", outcome.reason
    assert outcome.seconds.prepare is not None
    assert outcome.seconds.run is not None
    assert outcome.seconds.prepare > SECONDS / 2 > outcome.seconds.run


@pytest.mark.parametrize(
    "does",
    [
        """
        import harness.referee, harness.solve, harness.verdict
        for module in (harness.referee, harness.solve, harness.verdict):
            for name in ("certify", "verdict", "judge"):
                if hasattr(module, name):
                    setattr(module, name, lambda *a, **k: None)
        """,
        "object.__setattr__(self.settings, 'tolerance', 0.999999999)",
        "lp.c[:] = 0\nlp.__dict__['tightened'] = lp",
    ],
    ids=["another referee", "another tolerance", "other costs"],
)
def test_what_an_adapter_changes_in_its_process_does_not_reach_the_judge(place: Place, does: str) -> None:
    outcome = run_adapter(place, in_the_run(does))
    assert outcome.status in ("inaccurate", "error")
    assert "the certified gap is" in outcome.reason or "wrote into c of the instance" in outcome.reason
