"""The two steps of SPARK.md as they are written there: spark-submit, then torchrun."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from pyarrow import parquet

from harness.decisions.folder import read_summary
from tests.support.campaigns import edges, write_problem

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "instances" / "spark" / "SPARK.md").read_text()


def commands() -> list[str]:
    """The lines of the first block of commands, without their comments."""
    (block,) = re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[:1]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def test_the_two_steps_run_as_written(spark: Any, tmp_path: Path) -> None:
    spark.sparkContext.getConf()  # Java and pyspark are there
    write_problem(tmp_path, table=edges(1500, 12))
    _, submit, solve, verify = commands()
    shared = tmp_path / "shared"
    bin_folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SPARK_CONF_DIR": str(tmp_path / "conf"),
        "NUMBA_NUM_THREADS": "1",
    }
    (tmp_path / "conf").mkdir()
    small = (
        "spark.master local[2]",
        "spark.driver.memory 1g",
        "spark.ui.enabled false",
        "spark.sql.shuffle.partitions 2",
    )
    (tmp_path / "conf" / "spark-defaults.conf").write_text("\n".join(small))
    for command in (submit, solve, verify):
        line = command.replace("/shared", str(shared)).replace("--nproc-per-node=8", "--nproc-per-node=2")
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.quote(line)}\n{done.stderr}"
    summary = read_summary(tmp_path / "decisions")
    assert summary is not None
    assert summary["status"] == "solved"
    assert parquet.read_table(tmp_path / "decisions" / "decisions.parquet").column_names == ["user_id", "item_id", "x"]
    assert "6 agrees" in done.stdout


def test_without_java_the_job_says_so(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    environment |= {"PATH": "/usr/sbin", "PYTHONPATH": str(ROOT)}
    job = [sys.executable, "-m", "instances.spark", str(problem), "--out", str(tmp_path / "out")]
    done = subprocess.run(job, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("dualbench: ")
    assert "it needs Java 17 or newer" in last or "pyspark is not installed here" in last
    assert not (tmp_path / "out").exists()
