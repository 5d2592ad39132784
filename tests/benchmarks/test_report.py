"""`dualbench report` on many records made from real rows: `pytest -s` shows seconds and peak memory for 100,000 of
them, and the seconds from opening the page of 5,000 in Chromium to the end of its script, when everything can be used.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import reports
from harness.records import read
from tests.support.browser import browser, executable

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "reports" / "published" / "2026-11-21-epyc" / "smoke"
RECORDS = 100_000
PAGE_RECORDS = 5_000


def many_records(folder: Path, records: int, copies: int) -> None:
    """The rows of a real run again and again: other repeats and instances, times that differ by up to a half."""
    real = read(SMOKE)
    turns = itertools.product(range(-(-records // (len(real.cases) * copies))), range(copies))
    with (folder / "records.jsonl").open("w") as file:
        for row in (*real.runs, *real.environments):
            file.write(json.dumps(row) + "\n")
        made = ((turn, copy, row) for turn, copy in turns for row in real.cases)
        for turn, copy, row in itertools.islice(made, records):
            seconds = {k: v and v * (1 + (7 * turn + copy) % 10 / 20) for k, v in row["seconds"].items()}
            name = f"{row['instance']}-{copy}"
            case = f"{name}|{turn}|{row['case']}"
            row = row | {"instance": name, "spec_hash": name, "content_hash": None, "case": case, "repeat": turn}
            row["seconds"] = seconds
            file.write(json.dumps(row) + "\n")


def test_report_of_100_000_records(benchmark: Any, tmp_path: Path) -> None:
    many_records(tmp_path, RECORDS, copies=20)
    command = [sys.executable, "-m", "harness", "report", str(tmp_path), "--out", str(tmp_path / "report")]
    place = {**os.environ, "PYTHONPATH": str(ROOT)}
    benchmark.pedantic(lambda: subprocess.run(command, env=place, check=True, capture_output=True), rounds=1)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, size = 1024 * used.ru_maxrss, (tmp_path / "records.jsonl").stat().st_size
    benchmark.extra_info.update(records=RECORDS, file_bytes=size, peak_bytes=peak, user_seconds=used.ru_utime)
    assert (tmp_path / "report" / "report.html").is_file()
    sys.stdout.write(
        f"\n{RECORDS:,} records: {benchmark.stats.stats.min:.1f} s, {used.ru_utime:.1f} s of CPU, "
        f"peak {peak / 2**30:.2f} GiB\n"
    )


@pytest.mark.skipif(executable() is None, reason="no Chromium here: apt-get install chromium")
def test_page_of_5000_records(benchmark: Any, tmp_path: Path) -> None:
    many_records(tmp_path, PAGE_RECORDS, copies=100)
    page = reports.build([tmp_path], tmp_path / "report").page
    name = executable()
    assert name is not None
    with browser(name) as window:
        benchmark.pedantic(lambda: window.show(page), rounds=5)
        ready = float(window.value("document.documentElement.dataset.ready")) / 1000
    benchmark.extra_info.update(records=PAGE_RECORDS, page_bytes=page.stat().st_size, seconds_to_interactive=ready)
    sys.stdout.write(
        f"\n{PAGE_RECORDS:,} records: {ready:.2f} s to interactive, {page.stat().st_size / 2**20:.1f} MiB\n"
    )
