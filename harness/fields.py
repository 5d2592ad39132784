"""RECORDS.md: every field of the records in a table, from the sentences under the fields.

`python -m harness.fields` prints the page; a test holds the file to it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Mapping
from typing import Any, get_type_hints

from harness.certificate import Certificate
from harness.integral.row import WholeRecord
from harness.measured_row import MeasuredRecord
from harness.record import CaseRecord, InstanceForm, Seconds
from harness.recurring.row import RecurringRecord
from harness.reference import ReferenceRecord
from harness.scaling.row import ScalingRecord
from harness.serving.row import ServingRecord
from harness.shapes import Shape, marks
from harness.staying import Started

_HEAD = """\
# The records

A records file is JSON Lines: one object a line, each with its `kind`. Rows of kind "run" say which suite was run by
which command, in which environment, by which `method` (the beginning of the SHA-256 of METHOD.md) and at which
`price_per_hour` of the machine; rows of kind "environment" say where (once per environment). Keys that are not listed
here are left alone.
This page is made by `python -m harness.fields` from the definitions in the code.
"""
_TABLES: Mapping[str, type[Any]] = {
    'Kind "case"': CaseRecord,
    "`seconds` of a case": Seconds,
    "`instance_form` of a case": InstanceForm,
    "`start` of a case": Started,
    "`certificate`": Certificate,
    'Kind "scaling"': ScalingRecord,
    'Kind "reference"': ReferenceRecord,
    'Kind "recurring": all fields of a case, and': RecurringRecord,
    'Kinds "whole" and "serving"': MeasuredRecord,
    'Kind "whole" also': WholeRecord,
    'Kind "serving" also': ServingRecord,
}


def sentences_of(record: type[Any]) -> dict[str, str]:
    """What the docstring under each field of a class says."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(definition, ast.ClassDef)
    sentences: dict[str, str] = {}
    for field, after in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            sentences[field.target.id] = " ".join(str(after.value.value).split()) if documented else ""  # type: ignore[attr-defined]
    return sentences


def page() -> str:
    """RECORDS.md."""
    return "\n".join([_HEAD, *(_table(title, record) for title, record in _TABLES.items())])


def _table(title: str, record: type[Any]) -> str:
    hints = get_type_hints(record, include_extras=True)
    lines = [f"## {title}", "", "| field | value | meaning |", "|---|---|---|"]
    for name, sentence in sentences_of(record).items():
        shapes = [mark.words for mark in marks(hints[name]) if isinstance(mark, Shape)]
        lines.append(f"| `{name}` | {', '.join(shapes)} | {sentence.replace('|', chr(92) + '|')} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
