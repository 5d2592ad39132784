"""What is counted over cases: claims that were confirmed, everything not solved, and who could not take an instance."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from harness.records import CaseRecord
from reports import tallies


def test_claims_are_counted_with_those_the_referee_confirmed(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [run(1.0, 5e-5), run(1.0, 3e-4, status="inaccurate", repeat=1), run(1.0, None, status="crashed", repeat=2)]
    claims = tallies.claims(cases_of(*rows)).loc["blockpdhg"]
    assert claims[["claims", "confirmed", "crashed"]].tolist() == [2, 1, 1]
    assert claims["overstated"] == pytest.approx(3.0)


def test_everything_unsolved_is_listed_once_an_outcome_with_skipped_cases_last(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    rows = [
        run(1.0, None, status="skipped", reason="too large", solver="a"),
        *(run(60.0, 0.1, status="time_limit", reason="stopped", repeat=k, solver="b") for k in range(3)),
        run(1.0, None, status="error", reason="first line\nsecond line", solver="c"),
        run(1.0, None, status="error", raw_status="code 7", solver="d"),
        run(1.0, 5e-5, solver="e"),
    ]
    listed = tallies.failures(cases_of(*rows))
    assert listed[["competitor", "cases", "reason"]].to_numpy().tolist() == [
        ["b", 3, "stopped"],
        ["c", 1, "first line second line"],
        ["d", 1, "no feasible point recovered"],
        ["a", 1, "too large"],
    ]


def test_an_instance_is_told_with_who_could_not_take_it_in_one_line_each(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    form = {"families": "total: 1 row", "row_kinds": "'>=' rows", "polytopes": "5 BOX", "tightness": "0 of 1 rows"}
    cases = cases_of(
        run(1.0, 5e-5, instance="wide", instance_form=form),
        run(1.0, None, instance="wide", solver="a", status="skipped", reason="a does not take BOX sources"),
        run(1.0, None, instance="wide", solver="a", status="skipped", reason="a does not take BOX sources", repeat=1),
        run(1.0, None, instance="wide", solver="b", status="skipped", reason="no flow"),
        run(1.0, None, instance="wide", solver="c", status="skipped", reason="left out by the suite", edges=None),
        run(1.0, 5e-5, instance="of an older record"),
    )
    (told,) = tallies.forms(cases).to_dict("records")
    assert told == form | {"instance": "wide", "not_taken": "a does not take BOX sources. b: no flow"}


def test_older_records_tell_who_could_not_take_an_instance(
    cases_of: Callable[..., pd.DataFrame], run: Callable[..., CaseRecord]
) -> None:
    (told,) = tallies.forms(cases_of(run(1.0, None, status="skipped", reason="no flow"))).to_dict("records")
    assert told["not_taken"] == "blockpdhg: no flow"
    assert told["row_kinds"] == ""
