"""Records as an attacker would write them: text stays text in every output, and no name leads out of a folder."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli import invoke
from harness.records import read

EVIL = "../../x</text></svg>\"'><script>alert(1)</script><img src=x onerror=alert(2)>]]>-->"
TEMPLATES = Path(__file__).parents[2] / "reports" / "templates"
ACTIVE = {"img", "iframe", "object", "embed", "base", "link", "form", "foreignobject", "image", "animate"}
LINKS = ("href", "src", "xlink:href", "action")
#: Texts that decide what a row is; everything else becomes hostile.
KEPT = {"kind", "status", "mode", "time"}


class Tags(HTMLParser):
    """Tags that do something, attributes that run a script or leave the page, files linked to, and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.active: list[str] = []
        self.linked: list[str] = []
        self.scripts: list[tuple[str, str]] = []
        """(type, text)"""
        self._script: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        handlers = [name for name, _ in attrs if name.startswith("on")]
        leaving = {name: value or "" for name, value in attrs if name in LINKS and not (value or "#").startswith("#")}
        if tag == "a" and set(leaving) == {"href"}:
            self.linked.append(leaving.pop("href"))
        if tag in ACTIVE or handlers or leaving:
            self.active.append(f"{tag} {handlers} {sorted(leaving)}")
        self._script = dict(attrs).get("type") or "" if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts.append((self._script, data))
            self._script = None


def hostile(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {(f"{k}{EVIL}" if name in ("packages", "options") else k): hostile(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(entry) for entry in value]
    return f"{value}{EVIL}" if isinstance(value, str) and name not in KEPT else value


@pytest.fixture
def records(sample: Path, tmp_path: Path) -> Path:
    """The sample with a hostile text in place of each of its texts, failures with reasons among them."""
    rows = [json.loads(line) for line in sample.read_text().splitlines()]
    case = next(row for row in rows if row["kind"] == "case")
    rows += [{**case, "repeat": k, "status": status, "reason": "why", "certificate": None}
             for k, status in enumerate(("crashed", "error", "inaccurate", "puzzled<b>"), start=1)]  # fmt: skip
    rows += [{**row, "ranks": 4} for row in rows if row["kind"] == "scaling"]
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "records.jsonl").write_text("".join(json.dumps(hostile(row)) + "\n" for row in rows))
    return folder


def files(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.is_file())


def assert_own_scripts(scripts: list[tuple[str, str]], *, html: bool) -> None:
    """The data of a page, and the script of the project without a word of the records."""
    assert [kind for kind, _ in scripts] == (["application/json", ""] if html else [])
    if html:
        data, script = (text for _, text in scripts)
        assert json.loads(data)
        own = [file.read_text().strip() for file in TEMPLATES.glob("*.js")]
        assert all(part in script for part in own)
        assert len(script) < sum(map(len, own)) + 200


def test_every_text_of_a_record_stays_text(records: Path, tmp_path: Path) -> None:
    assert not read(records).warnings
    out = tmp_path / "deep" / "er" / "report"
    assert invoke(["report", str(records), "--out", str(out)]) == 0
    pages = {path: path.read_text() for path in files(out) if path.suffix in (".html", ".md", ".svg")}
    assert any("alert(1)" in text for text in pages.values())  # it is shown, as text
    for path, text in pages.items():
        tags = Tags()
        # an indented line of Markdown is code, which shows as it is written
        tags.feed("\n".join(line for line in text.splitlines() if path.suffix != ".md" or not line.startswith("    ")))
        assert tags.active == [], path
        assert all((path.parent / link).resolve().is_relative_to(out.resolve()) for link in tags.linked), path
        assert all((path.parent / link).is_file() for link in tags.linked), path
        assert_own_scripts(tags.scripts, html=path.suffix == ".html")
        if path.suffix == ".svg":
            assert "{http://www.w3.org/2000/svg}text" in {node.tag for node in ET.fromstring(text).iter()}  # noqa: S314
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "records"]
    assert all(path.is_relative_to(out) for path in files(tmp_path / "deep"))


def test_no_command_reads_a_dual_outside_the_records(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["verify", str(records)]) == 1
    assert "agrees" not in capsys.readouterr().out


@pytest.mark.parametrize("header", [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': __import__('os').getpid(), 'fortran_order': False, 'shape': (1,), }",
])  # fmt: skip
def test_a_dual_that_claims_too_much_is_refused(
    header: str, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "duals").mkdir()
    row = next(row for row in read(sample).cases if row["dual_file"])
    (tmp_path / "records.jsonl").write_text(json.dumps(row) + "\n")
    padded = header + " " * (117 - len(header)) + "\n"
    (tmp_path / row["dual_file"]).write_bytes(b"\x93NUMPY\x01\x00" + np.uint16(len(padded)).tobytes() + padded.encode())
    assert invoke(["verify", str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().out
