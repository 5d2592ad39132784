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
    monkeypatch.setattr("harness.disk.os.fsync", lambda _: None)


def whole(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The rows, and the number of lines that were left out."""
    found = read(path)
    return [*found.runs, *found.environments, *found.cases, *found.scaling], len(found.warnings)


def test_a_file_cut_at_every_byte_of_its_last_lines_keeps_its_whole_rows(sample: Path, tmp_path: Path) -> None:
    lines = sorted(sample.read_bytes().splitlines(keepends=True), key=len)  # long traces are more of the same bytes
    lines = lines[: LINES_CUT + 2]
    content, ends = b"".join(lines), [sum(map(len, lines[:k])) for k in range(len(lines) + 1)]
    added = json.loads(lines[0]) | {"time": "afterwards"}
    file = tmp_path / "records.jsonl"
    for length in range(ends[-1 - LINES_CUT], len(content) + 1):
        file.write_bytes(content[:length])
        kept = sum(end - 1 <= length for end in ends[1:])  # a row is whole without its line's end
        torn = length not in ends and length + 1 not in ends
        before, left_out = whole(file)
        assert (len(before), left_out) == (kept, torn)
        append(file, added)
        after, left_out = whole(file)
        assert (len(after), left_out) == (kept + 1, torn)
        assert added in after
