"""MPS and LP files as matching LPs: the same optimum as in HiGHS, the blocks of the file, refusals by name."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from harness.cli import invoke
from instances import Box, BoxCut, InputError, Simplex, digest, generate, parse_spec, read_mps
from tests.support.feasible_rows import general_lp
from tests.support.highs import HighsApart
from tests.support.optimum import optimum

SMALL = """\
maximize
 value: 3 x1 + 2 x2 + 4 y1 + y2 + 5 box + 7
subject to
 x_sum: 2 x1 + 2 x2 <= 2
 y_sum: - y1 - y2 = -3
 money: x1 + 2 y1 + box <= 3
 floor: x2 - y2 >= -1
bounds
 1 <= y1 <= 3
 box <= 2
end
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "model.lp"
    path.write_text(text)
    return path


def test_the_small_file_is_understood(tmp_path: Path) -> None:
    lp, report = read_mps(file(tmp_path, SMALL))
    assert report.sources.tolist() == ["x_sum", "y_sum", "box"]
    assert report.names.tolist() == ["x1", "x2", "y1", "y2", "box"]
    assert (report.blocks, report.covered, report.coupling.tolist()) == (2, 0.8, ["money", "floor"])
    assert report.shift.tolist() == [0, 0, 1, 0, 0]
    limits = lp.per_source.limits()
    assert limits.at_most.tolist() == [1.0, 2.0, np.inf]  # rows divided by 2 and by -1, and y1 shifted by 1
    assert limits.equality.tolist() == [False, True, False]
    assert lp.rows[0].upper.tolist() == [1.0, np.inf]
    assert lp.rows[0].lower.tolist() == [-np.inf, -1.0]


def test_objective_and_values_lead_back_to_the_file(highs: HighsApart, tmp_path: Path) -> None:
    path = file(tmp_path, SMALL)
    lp, report = read_mps(path)
    assert report.file_objective(optimum(lp)) == pytest.approx(highs.optimum_of_file(path), abs=1e-9)
    x = np.arange(1.0, 6.0)
    of_file = dict(zip(report.names[np.argsort(report.column)], report.file_x(x), strict=True))
    assert of_file == {"x1": 1.0, "x2": 2.0, "y1": 4.0, "y2": 4.0, "box": 5.0}
    value = 3 + 4 + 16 + 4 + 25 + 7
    assert report.file_objective(float(lp.c @ x)) == value


@pytest.mark.parametrize("suffix", ["mps", "lp"])
def test_generalised_assignment_comes_back_as_it_was(highs: HighsApart, tmp_path: Path, suffix: str) -> None:
    lp = generate(parse_spec("gap-d05100"))
    path = highs.written(lp, tmp_path / f"gap.{suffix}")
    again, report = read_mps(path)
    assert again.is_short_form
    assert again.polytope == Simplex(z=1.0, equality=True)
    for name in ("offsets", "destination", "a", "b", "c"):
        assert np.array_equal(getattr(again, name), getattr(lp, name)), name
    assert (report.blocks, report.covered) == (100, 1.0)


@pytest.mark.parametrize("seed", range(6))
def test_any_matching_lp_keeps_its_optimum(highs: HighsApart, tmp_path: Path, seed: int) -> None:
    lp = general_lp(seed, "between")
    path = highs.written(lp, tmp_path / "lp.mps")
    again, report = read_mps(path)
    assert report.file_objective(optimum(again)) == pytest.approx(optimum(lp), rel=1e-7, abs=1e-7)


def test_upper_bounds_of_a_block(tmp_path: Path) -> None:
    """They make a box-cut, with a number for each edge where they differ; those above z say nothing."""
    text = "minimize\n x + y + z\nsubject to\n s: x + y + z <= 4\n c: x - y >= -1\nbounds\n x<=2\n y<=2\n z<=2\nend\n"
    lp, report = read_mps(file(tmp_path, text))
    assert (lp.polytope, report.bounded) == (BoxCut(upper=2.0, at_most=4.0), 0)
    lp, report = read_mps(file(tmp_path, text.replace("z<=2", "z<=1")))
    assert lp.edge_upper is not None
    assert (lp.edge_upper.tolist(), lp.per_source.limits().at_most.tolist()) == ([2.0, 2.0, 1.0], [4.0])
    assert (len(lp.rows), report.bounded) == (1, 1)
    lp, report = read_mps(file(tmp_path, text.replace("z<=2", "z<=9")))
    assert lp.edge_upper is not None
    assert (lp.edge_upper.tolist(), report.bounded) == ([2.0, 2.0, 4.0], 2)
    lp, report = read_mps(file(tmp_path, text.replace("<=2", "<=9")))
    assert (lp.polytope, report.bounded) == (Simplex(z=4.0), 0)


def test_without_coupling_rows_or_without_blocks(tmp_path: Path) -> None:
    lp, report = read_mps(file(tmp_path, "minimize\n - x - 2 y\nsubject to\n s: x + y <= 1\nend\n"))
    assert (optimum(lp), report.coupling.size) == (-2, 0)
    cover = "minimize\n x + y\nsubject to\n s: x + y >= 1\nbounds\n x <= 1\n y <= 1\nend\n"
    lp, report = read_mps(file(tmp_path, cover))
    assert (optimum(lp), lp.polytope, report.covered) == (1, Box(1.0), 0.0)


def test_integers_are_relaxed(tmp_path: Path) -> None:
    text = "maximize\n x + y\nsubject to\n s: x + y <= 1\n r: 2 x + 2 y <= 1\ngenerals\n x y\nend\n"
    lp, report = read_mps(file(tmp_path, text))
    assert report.file_objective(optimum(lp)) == 0.5


def test_a_packed_file_is_the_same_instance(tmp_path: Path) -> None:
    path = file(tmp_path, SMALL)
    (tmp_path / "packed.lp.gz").write_bytes(gzip.compress(path.read_bytes()))
    plain, packed = (parse_spec(f"mps:path={one}") for one in (path, tmp_path / "packed.lp.gz"))
    assert digest(plain) == digest(packed)
    assert plain.expected_edges == packed.expected_edges == 5


def test_the_command_says_what_couples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["instances", f"mps:path={file(tmp_path, SMALL)}"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "80.0% of 5 columns lie in 2 blocks, 1 are boxes" in told
    assert "couple money, floor" in told
    assert "the file's is minus that of the instance plus 11" in told


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ("x free", "column x in -inf..inf has no finite lower bound"),
        ("-inf <= x <= 3", "column x in -inf..3 has no finite lower bound"),
        ("w >= 0", "column w has no upper bound and lies in no block"),
        ("3 <= x <= 2", "column x in 3..2 has a lower bound above its upper bound"),
    ],
)
def test_columns_that_no_source_can_have_are_refused_by_name(tmp_path: Path, bounds: str, message: str) -> None:
    text = f"minimize\n x + y + w\nsubject to\n s: x + y <= 1\n r: x + 2 w >= 1\nbounds\n w <= 1\n {bounds}\nend\n"
    if bounds.startswith("w"):
        text = text.replace(" w <= 1\n", "")
    with pytest.raises(InputError) as refusal:
        read_mps(file(tmp_path, text))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.mps", b""),
        ("model.lp", b"\x00\xff not an lp"),
        ("model.mps", b"NAME x\nROWS\n N obj\nENDATA\n"),
        ("model.txt", b""),
        ("model.lp.gz", b"\x1f\x8b broken"),
        ("model.lp", b"minimize\n x + [ x^2 ]/2\nsubject to\n s: x <= 1\nend\n"),
        ("model.lp", b"minimize\n x\nsubject to\n s: x + y <= 1\nbounds\n x <= 3\nsemi-continuous\n x\nend\n"),
    ],
)
def test_files_that_are_no_lp_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read_mps(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_spec_needs_a_file_that_is_there() -> None:
    with pytest.raises(InputError, match="write mps:path=FILE"):
        parse_spec("mps:file=x")
    with pytest.raises(InputError, match="cannot be read"):
        generate(parse_spec("mps:path=/nowhere.mps"))
