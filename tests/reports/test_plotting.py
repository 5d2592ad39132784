"""A report is drawn with matplotlib as it is delivered, whatever the user has set for figures of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from harness.records import RECORDS_FILE, CaseRecord, append

ROOT = Path(__file__).resolve().parents[2]
LOUD = (
    "text.usetex: True\nfont.size: 30\nsavefig.bbox: tight\nlines.linewidth: 9\naxes.facecolor: red\nbackend: nosuch\n"
)


def report(records: Path, out: Path, **chosen: str) -> subprocess.CompletedProcess[str]:
    """`dualbench report`, with these environment variables beside the usual ones."""
    names = ("MPLBACKEND", "MATPLOTLIBRC")
    env = {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(ROOT)} | chosen
    command = [sys.executable, "-m", "harness", "report", str(records), "--out", str(out)]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def few_records(make_case: Callable[..., CaseRecord], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough for a figure of points, one of lines and one of bars."""
    folder = tmp_path_factory.mktemp("few")
    for edges, solver in product((1_000, 10_000), ("blockpdhg", "dualip")):
        case = make_case(instance=f"i{edges}", spec_hash=f"{edges}", edges=edges, solver=solver)
        append(folder / RECORDS_FILE, case)
    return folder


@pytest.fixture(scope="module")
def usual(few_records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("usual") / "report"
    assert report(few_records, out).returncode == 0
    return content(out)


@pytest.mark.parametrize(
    ("backend", "settings"),
    [
        ("module://matplotlib_inline.backend_inline", b""),  # a notebook's kernel, of another environment
        ("nosuch", LOUD.encode()),
        ("TkAgg", LOUD.encode()),
        ("", b"\xff\xfe not text\n"),
    ],
)
def test_backend_and_settings_of_the_user_change_nothing(
    few_records: Path, usual: dict[str, bytes], tmp_path: Path, backend: str, settings: bytes
) -> None:
    (tmp_path / "matplotlibrc").write_bytes(settings)
    done = report(few_records, tmp_path / "report", MPLBACKEND=backend, MATPLOTLIBRC=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert content(tmp_path / "report") == usual


def test_a_notebook_keeps_its_own_settings(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\n")
    program = (
        "import sys; from reports import canvas\n"
        "with canvas.settings(): import matplotlib as mpl; inside = mpl.rcParams['lines.linewidth']\n"
        "print(inside, mpl.rcParams['lines.linewidth'], mpl.rcParams['backend'], 'matplotlib.pyplot' in sys.modules)\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "TkAgg", "MATPLOTLIBRC": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.split()) == ("", ["1.5", "9.0", "TkAgg", "False"])
