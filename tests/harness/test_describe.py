"""`dualbench instances SPEC`: what an instance is, in words, and what its polytope allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.cli import invoke
from harness.describe import description
from harness.instance_form import instance_form
from harness.record import SHORT_FORM
from harness.trust.probes import known_optimum, several_kinds
from instances import Kind, MatchingLP, RaggedRows, Rows, Simplex, generate, parse_spec, write_parquet


def test_it_says_that_one_edge_may_take_all_of_z() -> None:
    lp = replace(known_optimum(Kind.SIMPLEX).lp, polytope=Simplex(z=2.0))
    told = [sentence for topic, sentence in description(lp) if topic == "polytope"]
    assert told == [
        "3 SIMPLEX: the sum over a source's edges at most z = 2; "
        "no edge has a limit of its own, so one may take all of it",
        "“at most two items, each at most once” is a box-cut: here one item may be taken twice",
    ]


def test_every_kind_has_a_sentence() -> None:
    told = [sentence for topic, sentence in description(several_kinds(list(Kind)).lp) if topic == "polytope"]
    assert [sentence.partition(":")[0] for sentence in told] == [f"3 {kind.name}" for kind in Kind]
    assert told[2].endswith("each edge at most u = 0.6; their sum has no limit")
    assert told[3].endswith("the sum over a source's edges at most z = 1; each edge at most u = 0.6")


def test_it_says_how_tight_budgets_are() -> None:
    """Without budgets source 0 to 2 all take destination 0, where 2 each meet a budget of 3."""
    told = dict(description(known_optimum(Kind.SIMPLEX).lp))
    assert told["size"] == "3 sources, 2 destinations, 6 edges, 6 cells"
    assert told["edges"] == "2 a source, 3 a destination"
    assert told["a"] == "from 1 to 2, one coefficient a row: a flow problem"
    assert told["c"] == "from -6 to 0.5, below 0 on 67% of the edges"
    assert told["a and c"].startswith("correlation ")
    assert told["ties"] == "the two best edges are worth the same on 0% of the sources"
    budgets = "without them, 1 of 2 rows would be exceeded; the median row allows 0.5 of what would be put on it"
    assert told["budgets"] == budgets
    free = dict(description(replace(known_optimum(Kind.SIMPLEX).lp, b=np.array([3.0, np.inf]))))
    assert "; 1 have no limit; the median row allows 0.5 of" in free["budgets"]
    boxes = dict(description(known_optimum(Kind.BOX).lp))
    assert boxes["budgets"].startswith("without them, 1 of 2 rows would be exceeded; the median row allows 8.75")


def test_it_says_how_many_sources_have_ties_and_how_a_follows_the_value() -> None:
    """Source 0 has two best edges, source 1 has one; a is twice the value on every edge."""
    value = np.array([1.0, 3.0, 3.0, 2.0, 1.0])
    lp = MatchingLP(
        offsets=np.array([0, 3, 5]), destination=np.array([0, 1, 2, 0, 1]), a=2 * value, c=-value, b=np.ones(3)
    )
    told = dict(description(lp))
    assert told["ties"] == "the two best edges are worth the same on 50% of the sources"
    assert told["a and c"] == "correlation 1.00 between a and the value -c"
    assert told["degeneracy"].startswith("3 distinct values of c on 5 edges; coefficients and limits are whole")
    assert told["rows"] == "budget: 3 rows, each edge in one of them, coefficients 2 to 6; at most 1, hard"


def test_an_instance_of_nothing_is_described_too() -> None:
    empty = MatchingLP(
        offsets=np.array([0, 0]), destination=np.array([], int), a=np.array([]), c=np.array([]), b=np.array([1.0])
    )
    told = dict(description(empty))
    assert told["edges"] == "0 a source, 0 a destination"
    assert told["budgets"] == "without them, 0 of 1 rows would be exceeded"


def test_families_are_described_one_by_one() -> None:
    lp = MatchingLP(
        offsets=[0, 2, 3],
        c=[-1.0, 2.0, 0.5],
        rows=[
            Rows("campaign", row=[0, 1, 1], coefficient=[1.0, 2.0, 3.0], upper=[5.0, np.inf]),
            Rows("total", lower=1.0, upper=2.0, penalty=(0.5, np.inf)),
            RaggedRows("link", entry_offsets=[0, 2, 2, 3], row=[0, 1, 1], lower=[0.0, 1.0], penalty=[2.0, np.inf]),
        ],
    )
    told = description(lp)
    assert dict(told)["size"] == "2 sources, 3 edges, 5 rows, 4 cells"
    assert dict(told)["a and c"].endswith("between the coefficients of campaign and the value -c")
    assert "coefficients and limits are whole" in dict(told)["degeneracy"]
    assert dict(told)["tightness"].endswith(" 0 of 5 rows would be exceeded")  # x = (1, 0, 0)
    assert [sentence for topic, sentence in told if topic == "rows"] == [
        "campaign: 2 rows, each edge in one of them, coefficients 1 to 3; at most 5 in 1 of them, hard",
        "total: 1 row, all edges in it, coefficients 1; at least 1, each unit outside costs 0.5; at most 2, hard",
        "link: 2 rows, each edge in 0 to 2 of them, coefficients 1; at least 0 to 1, each unit outside costs 2, 1 hard",
    ]


def test_rows_that_are_left_when_sources_see_themselves_alone_are_counted() -> None:
    """Both sources take their first edge, in row 0: it exceeds 1, and row 1 lacks all of what it needs."""
    rows = [Rows("need", row=[0, 1, 0, 1], lower=[-np.inf, 1.0], upper=[1.0, np.inf])]
    told = dict(description(MatchingLP(offsets=[0, 2, 4], c=[-2.0, -1.0, -2.0, -1.0], rows=rows)))
    alone = "if every source took what is best for it alone, 1 of 2 rows would be exceeded and 1 not reached"
    assert told["tightness"] == alone


def test_the_form_of_a_record_names_families_kinds_polytopes_and_tightness() -> None:
    form = instance_form(generate(parse_spec("volume:sources=200,destinations=5,degree=3,seed=1")))
    assert [family.partition(":")[0] for family in form.families.split(". ")] == [
        "campaign",
        "sends",
        "complaints",
        "engagement",
    ]
    assert form.row_kinds == "several families, '>=' rows"
    assert form.polytopes.startswith("200 SIMPLEX: ")
    assert "of 8 rows would be exceeded" in form.tightness
    assert instance_form(known_optimum(Kind.SIMPLEX).lp).row_kinds == SHORT_FORM


def test_the_command_takes_a_text_or_a_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = "unit:sources=50,destinations=5,degree=2,seed=1"
    write_parquet(generate(parse_spec(text)), tmp_path / "kept", text)
    shown = []
    for spec in (text, str(tmp_path / "kept")):
        assert invoke(["instances", spec]) == 0
        shown.append(capfd.readouterr().out)
    assert shown[0] == shown[1]
    assert "a         1 on every edge: a flow problem" in shown[0]


def test_what_the_memory_cannot_hold_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert invoke(["instances", "dualip:sources=10000000000,destinations=10000,degree=10"]) == 2
    assert "GiB to be described" in capfd.readouterr().err
