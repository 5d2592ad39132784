"""What an adapter sends is checked: a forged message or an absurd number ends its case with the reason."""

from __future__ import annotations

import math

import pytest

from tests.harness.isolation.cheats import HONEST, in_the_run, run_adapter
from tests.harness.isolation.conftest import Place


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("tell({'step': 'run'})", "'run' after run, expected deliver"),
        ("tell({'step': 'prepare'})", "'prepare' after run, expected deliver"),
        ("tell({'step': 'deliver'})", "'deliver' after deliver, expected check"),
        ("tell({'result': {'status': 'solved'}})", "an answer before its time"),
        ("tell({'result': {'failed': ['solved', '']}})", "a failure that does not have the form of one"),
        ("tell({'outcome': 1})", "['outcome']"),
        ("tell(pickle.dumps({'step': 'deliver'}))", "a message that is no JSON object"),
        ("tell(b'[' * 1000)", "a message that is no JSON object"),
        ("tell(b'x' * 140000)", "a message of more than 131,072 bytes"),
        ("[tell({'step': 'run'}) for _ in range(2000)]", "'run' after run, expected deliver"),
    ],
)
def test_a_forged_message_ends_the_case_with_the_reason(place: Place, does: str, words: str) -> None:
    outcome = run_adapter(place, in_the_run(does + "\nsleep(600)" if "deliver'" not in does else does))
    assert outcome.status == "error"
    assert outcome.reason.startswith("the adapter's process broke the protocol: ")
    assert words in outcome.reason
    assert run_adapter(place, HONEST).status == "solved"


def test_nothing_that_an_adapter_sends_is_unpickled(place: Place) -> None:
    mark = place.folder / "unpickled"
    does = f"""
    class Evil:
        def __reduce__(self):
            return open, ({str(mark)!r}, "w")
    tell(pickle.dumps(Evil()))
    sleep(600)
    """
    assert run_adapter(place, in_the_run(does)).status == "error"
    assert not mark.exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("iterations=10**400", "expected a whole number up to 1e+15 or None"),
        ("trace=[TracePoint(seconds=-1.0, iteration=1, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=1e308, iteration=1, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=float('inf'), iteration=1, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=1.0, iteration=-3, gap=1.0)]", "expected seconds that do not fall"),
        ("trace=[TracePoint(seconds=s, iteration=1, gap=1.0) for s in (5, 1)]", "expected seconds that do not fall"),
    ],
)
def test_absurd_numbers_are_refused_in_one_line(place: Place, more: str, words: str) -> None:
    does = f"return answer(np.zeros(lp.edges), np.zeros(lp.destinations), {more})"
    outcome = run_adapter(place, in_the_run(does))
    assert outcome.status == "error"
    assert words in outcome.reason
    assert "\n" not in outcome.reason


def test_a_count_of_minus_one_and_a_gap_without_end_are_no_numbers(place: Place) -> None:
    does = """
    trace = [TracePoint(seconds=1.0, iteration=1, gap=float("inf")), TracePoint(seconds=1.0, iteration=2, gap=1e308)]
    return answer(np.zeros(lp.edges), np.zeros(lp.destinations), iterations=-1, trace=trace)
    """
    answer = run_adapter(place, in_the_run(does)).answer
    assert answer is not None
    assert answer.iterations is None
    assert [(point.seconds, point.iteration) for point in answer.trace] == [(1.0, 1), (1.0, 2)]
    assert all(math.isnan(point.gap) for point in answer.trace)
