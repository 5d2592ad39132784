"""A call with something else than it takes is one line that says what to write."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness import certify, solve
from instances import BoxCut, InputError, MatchingLP, MatchingSpec, Simplex, generate, parse_spec, stored
from solvers import Settings
from solvers.nvidia import cuda_devices

SPEC = MatchingSpec.parse("unit:sources=6,destinations=2,degree=1,seed=1")
LP = generate(SPEC)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("dualip-5k", "the text 'dualip-5k', expected a MatchingLP: write generate(parse_spec('dualip-5k'))"),
        ("unit:sources=6,destinations=2", "write generate(parse_spec('unit:sources=6,destinations=2'))"),
        (Path("my-lp"), "the path my-lp, expected a MatchingLP: read_parquet(Path('my-lp')) reads one"),
        (".", "read_parquet(Path('.')) reads one"),
        (None, "is None, expected a MatchingLP: make one of arrays with MatchingLP(offsets="),
        (SPEC, "of type instances.spec.MatchingSpec, expected a MatchingLP: write generate(spec)"),
        (pd.DataFrame({"a": [1.0]}), "DataFrame, expected a MatchingLP: make one of arrays"),
        (np.zeros(3), "of type numpy.ndarray, expected a MatchingLP"),
        (MatchingLP, "the class MatchingLP, expected a MatchingLP"),
        ({"c": [1]}, "of type builtins.dict, expected a MatchingLP"),
        ("x" * 200, "xx…"),
    ],
)
def test_what_is_no_lp_is_refused_with_the_way_to_one(given: Any, words: str) -> None:
    for call in (lambda: solve(given, "blockpdhg"), lambda: certify(given, np.zeros(3), np.zeros(2))):
        with pytest.raises(InputError) as caught:
            call()
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 250


def test_swapped_arguments_are_said_to_be_swapped() -> None:
    x, dual = np.zeros(LP.edges), np.zeros(LP.destinations)
    with pytest.raises(InputError, match=r"swapped: write solve\(lp, solver_id\)"):
        solve("blockpdhg", LP)  # type: ignore[arg-type]  # what is tried
    with pytest.raises(InputError, match=r"swapped: write certify\(lp, x, dual\)"):
        certify(x, LP, dual)  # type: ignore[arg-type]  # what is tried


@pytest.mark.parametrize("given", [None, 3, Path("solver.py"), ["blockpdhg"]])
def test_a_solver_is_named_by_a_text(given: Any) -> None:
    with pytest.raises(InputError, match=r"the second argument is .*, expected a text: write an id"):
        solve(LP, given)


def test_an_answer_is_no_array() -> None:
    result = solve(LP, "scipy-highs-ds")
    for given in (result, result.answer):
        with pytest.raises(InputError, match=r"write certify\(lp, answer.x, answer.dual\)"):
            certify(LP, given)


@pytest.mark.parametrize("make", [generate, stored])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("dualip-5k", "expected a spec: write {}(parse_spec('dualip-5k'))"),
        (LP, "it is an instance already"),
        (None, "is None, expected a spec: write {}(parse_spec("),
        (Path("x"), "the path x, expected a spec"),
    ],
)
def test_what_is_no_spec_is_refused(make: Any, given: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        make(given)
    assert words.format(make.__name__) in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (SPEC, "it is a spec already"),
        (Path("my-lp"), '"parquet:path=my-lp"'),
        (None, "write it as a text"),
        (5, "of type builtins.int, expected a text"),
    ],
)
def test_what_is_no_text_of_a_spec_is_refused(given: Any, words: str) -> None:
    for parse in (parse_spec, MatchingSpec.parse):
        with pytest.raises(InputError) as caught:
            parse(given)
        assert words in str(caught.value)


def test_a_name_stands_for_its_spec() -> None:
    assert parse_spec("dualip-5k") == parse_spec("dualip:sources=5000,destinations=50,degree=10,seed=42")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("tolerance", ["1e-4", None, [1e-4], True, Decimal("1e-4")], "a number between 0 and 1"),
        ("time_limit", ["5", 10**400], "seconds > 0"),
        ("iteration_limit", [1.5, "9"], "a whole number > 0"),
        ("threads", [2.0, None], "a whole number >= 1"),
        ("device", [None, 0], "cpu or cuda"),
        ("seed", ["a", 0.5], "a whole number >= 0"),
        ("stay", ["1"], "a finite number >= 0"),
        ("options", [None, ["kernel"]], "a dict of the options by name"),
    ],
)
def test_a_setting_of_another_type_is_refused_by_its_name(name: str, values: list[Any], words: str) -> None:
    for value in values:
        with pytest.raises(InputError, match=f"^{name}=.*: expected {words}$"):
            solve(LP, "blockpdhg", **{name: value})


def test_a_number_of_numpy_is_a_number() -> None:
    settings = Settings(tolerance=np.float32(1e-4), threads=np.int64(1), time_limit=math.inf)
    assert settings.threads == 1


def test_other_arguments_of_another_type_are_refused_too() -> None:
    with pytest.raises(InputError, match=r"option initial_weight=.*: expected float"):
        solve(LP, "blockpdhg", options={"initial_weight": 10**400})
    with pytest.raises(InputError, match="callback=5: expected a function"):
        solve(LP, "blockpdhg", callback=5)  # type: ignore[arg-type]  # what is tried
    with pytest.raises(InputError, match="threads=0: expected a whole number >= 1"):
        certify(LP, np.zeros(LP.edges), np.zeros(LP.destinations), threads=0)


@pytest.mark.parametrize("equality", ["no", 0, None])
def test_a_text_is_no_answer_to_whether_sums_are_equal(equality: Any) -> None:
    """The text "no" counts as true in Python."""
    for make in (lambda: Simplex(equality=equality), lambda: BoxCut(upper=1.0, at_most=2.0, equality=equality)):
        with pytest.raises(InputError, match=f"equality is {equality!r}: expected True or False"):
            make()


@pytest.mark.skipif(cuda_devices() > 0, reason="a CUDA device is here")
@pytest.mark.parametrize("solver", ["blockpdhg", "dualip", "dualip-restarted"])
def test_a_device_that_is_not_there_is_refused_in_one_line(solver: str) -> None:
    lp = generate(parse_spec("unit:sources=10,destinations=2,degree=2,seed=1"))
    with pytest.raises(InputError, match=r"device='cuda': this machine shows no CUDA device, use device='cpu'"):
        solve(lp, solver, device="cuda")
