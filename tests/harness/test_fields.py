"""One definition of a record: what is read, checked, written about and shown comes from the same place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.certificate import Certificate
from harness.fields import page, sentences_of
from harness.record import CaseRecord, Seconds, case_columns
from harness.result import ArrayFacts, Result
from harness.rows import fault
from harness.scaling.row import ScalingRecord
from harness.steps import Step
from solvers import Status
from tests.support.records import case_record

HARNESS = Path(records.__file__).parent


@pytest.mark.parametrize("record", [CaseRecord, Seconds, Certificate, ScalingRecord, Result, ArrayFacts])
def test_every_field_has_a_sentence(record: type[Any]) -> None:
    sentences = sentences_of(record)
    assert set(sentences) >= set(record.__annotations__)
    assert [name for name, sentence in sentences.items() if not sentence.endswith(".")] == []


def test_the_page_of_the_records_is_made_from_the_definitions() -> None:
    assert (HARNESS / "RECORDS.md").read_text() == page(), "run python -m harness.fields > harness/RECORDS.md"


def test_the_words_for_the_steps_are_those_of_the_enumeration() -> None:
    method = (HARNESS / "METHOD.md").read_text()
    for step in Step:
        assert f"| {step} | {step.sentence} |" in method


def test_every_status_and_every_step_says_what_it_means() -> None:
    for member in (*Status, *Step):
        assert len(member.sentence) > 10
        assert member.sentence not in {other.sentence for other in (*Status, *Step) if other is not member}


def test_a_field_of_another_type_is_refused_by_the_shape_in_its_definition() -> None:
    row = records.as_row(case_record())
    assert fault(row) == ""
    for column in case_columns():
        wrong = {**row, column.path[0]: ["neither a text nor a number"]}
        assert fault(wrong).startswith(column.path[0])


def test_columns_have_names_of_their_own_and_hold_what_the_row_says() -> None:
    columns = {column.name: column for column in case_columns()}
    assert len(columns) == len(case_columns())
    assert columns["tolerance"].path == ("settings", "tolerance")
    assert columns["host_memory"].path == ("peak_memory", "host")
    assert columns["cpu_run"].path == ("cpu_seconds", "run")
    assert columns["certificate_reason"].type is str
    assert columns["certified_gap"].type is float
