"""Records that were cut anywhere: every whole row is read, and what is appended afterwards is whole too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.records import append, read

LINES_CUT = 3


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of appends; that they wait for the disk is not what is tried here."""
    monkeypatch.setattr("harness.records.os.fsync", lambda _: None)


def rows(path: Path) -> list[dict[str, Any]]:
    found = read(path)
    return [*found.runs, *found.environments, *found.cases, *found.scaling]


def test_a_file_cut_at_every_byte_of_its_last_lines_keeps_its_whole_rows(sample: Path, tmp_path: Path) -> None:
    lines = sample.read_bytes().splitlines(keepends=True)
    short = sorted(lines, key=len)[: LINES_CUT + 2]  # the long traces add bytes of the same kind only
    whole, last = short[:-LINES_CUT], short[-LINES_CUT:]
    added = json.loads(short[0]) | {"time": "afterwards"}
    file = tmp_path / "records.jsonl"
    content = b"".join(short)
    for length in range(len(b"".join(whole)), len(content) + 1):
        file.write_bytes(content[:length])
        kept = content[:length].count(b"\n")
        ends = [sum(map(len, short[:k])) for k in range(len(short) + 1)]
        kept += any(length == end - 1 for end in ends[1:])  # only the line's end is missing
        torn = length not in ends and length + 1 not in ends
        assert len(rows(file)) == kept
        assert len(read(file).warnings) == torn
        append(file, added)
        after = rows(file)
        assert len(after) == kept + 1
        assert added in after
        assert len(read(file).warnings) == torn
    assert last
