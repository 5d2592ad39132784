"""Seconds and peak memory of `dualbench report` on 100,000 records, made from real rows: `pytest -s` shows both."""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.records import read

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "reports" / "published" / "2026-11-21-epyc" / "smoke"
RECORDS = 100_000


def many_records(folder: Path) -> None:
    """The rows of a real run again and again: other repeats and instances, times that differ by up to a half."""
    real = read(SMOKE)
    turns = itertools.product(range(-(-RECORDS // (len(real.cases) * 20))), range(20))
    with (folder / "records.jsonl").open("w") as file:
        for row in (*real.runs, *real.environments):
            file.write(json.dumps(row) + "\n")
        made = ((turn, copy, row) for turn, copy in turns for row in real.cases)
        for turn, copy, row in itertools.islice(made, RECORDS):
            seconds = {k: v and v * (1 + (7 * turn + copy) % 10 / 20) for k, v in row["seconds"].items()}
            name = f"{row['instance']}-{copy}"
            row = row | {"instance": name, "case": f"{name}|{turn}|{row['case']}", "repeat": turn, "seconds": seconds}
            file.write(json.dumps(row) + "\n")


def test_report_of_100_000_records(benchmark: Any, tmp_path: Path) -> None:
    many_records(tmp_path)
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
