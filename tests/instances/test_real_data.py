"""Real data as matching LPs: the optima that their sources publish, and refusals of what is not there."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from instances import InputError, InstanceError, digest, generate, parse_spec
from instances.readers import readers
from tests.support.optimum import optimum

DATA = resources.files("instances").joinpath("data")


def of(text: str) -> float:
    return optimum(generate(parse_spec(text)))


@pytest.mark.parametrize("file", ["a05100", "b10100", "c05200", "d05100", "e05100"])
def test_generalised_assignment_has_its_published_optimum(file: str) -> None:
    table = io.StringIO(DATA.joinpath("gap", "lp-optimum.csv").read_text())
    known = {line["instance"]: float(line["lp_optimum_minimise"]) for line in csv.DictReader(table)}
    assert of(f"gap:file={file}") == pytest.approx(known[file], abs=1e-6)


def test_transport_is_full_to_the_last_bit() -> None:
    lp = generate(parse_spec("dotmark-32"))
    z = np.asarray(lp.polytope.params[0])
    assert z.sum() == lp.b.sum() == 102_400_000 / 2**17
    assert (lp.sources, lp.destinations, lp.edges) == (1024, 1024, 1_048_576)


def test_costs_are_distances_of_pixels() -> None:
    assert of("dotmark:size=1") == 0
    lp = generate(parse_spec("dotmark:size=8,cost=euclid"))
    assert lp.c[:3].tolist() == [0.0, 1.0, 2.0]
    assert lp.c[9] == np.float32(np.sqrt(2))


@pytest.mark.parametrize(
    ("text", "known"),
    [("journey-campaign-27", 41453.46), ("journey-campaign-8", 387936.35)],
)
def test_coupons_of_a_campaign_have_their_published_optimum(text: str, known: float) -> None:
    assert -of(text) == pytest.approx(known, abs=0.01)


def test_the_nearest_controls_have_their_published_optimum() -> None:
    lp = generate(parse_spec("lalonde"))
    assert (lp.sources, lp.rows[0].rows, lp.edges) == (185, 1787, 9250)
    assert of("lalonde") == pytest.approx(62.72412991824338, abs=1e-8)


def test_exposure_of_items_has_the_shape_of_its_source() -> None:
    """Its optimum, 17.923297544, takes HiGHS some ten seconds: see `dualbench run real`."""
    lp = generate(parse_spec("open-bandit"))
    assert (lp.sources, lp.rows[0].rows, lp.edges) == (2000, 46, 92_000)
    (item,) = generate(parse_spec("open-bandit:impressions=1000")).rows
    assert (set(item.lower), set(item.upper)) == ({20.0}, {100.0})


def test_paths_of_a_backbone_lead_from_end_to_end() -> None:
    lp = generate(parse_spec("topology:network=UsCarrier,pairs=40"))
    (link,) = lp.rows
    assert (lp.sources, link.rows) == (40, 378)
    assert sum(np.asarray(lp.polytope.params[0])) == pytest.approx(0.8)
    assert lp.degrees().max() <= 4
    for start, end in itertools.pairwise(link.entry_offsets):
        hops = [key.split("-") for key in link.keys[link.row[start:end]]]
        assert all(one[1] == other[0] for one, other in itertools.pairwise(hops))
    assert 0 < -of("topology:network=UsCarrier,pairs=40") < 0.8


def test_a_rule_leaves_out_what_it_does_not_use() -> None:
    assert parse_spec("journey").text == "journey:lp=slots"
    assert parse_spec("journey:lp=recurring,quarter=2").text == "journey:lp=recurring,quarter=2"


def test_income_groups_are_compared_a_household() -> None:
    """Value spread evenly over households leaves each group a tenth of the mean above its limit."""
    lp = generate(parse_spec("journey-fairness"))
    _, *groups = lp.rows
    of_household = np.add.reduceat(-lp.c.astype(np.float64), lp.offsets[:-1])
    x = 1 / of_household[lp.source_of_edge()]  # one dollar a household
    for group in groups:
        assert group.activity(x) == pytest.approx(0.1)
        assert np.asarray(group.coefficient).min() < 0


def test_floors_ask_no_more_of_a_category_than_it_has_households() -> None:
    (category,) = generate(parse_spec("journey-floors")).rows
    households = np.bincount(np.asarray(category.row), minlength=category.rows)
    assert np.array_equal(category.lower, np.minimum(5, households))
    assert set(category.upper) == {9.0}


def test_sizes_are_known_before_an_instance_is_made() -> None:
    spec = parse_spec("dotmark-16")
    lp = generate(spec)
    assert (spec.sources, spec.destinations, spec.expected_edges) == (lp.sources, lp.destinations, lp.edges)
    assert spec.nbytes == lp.nbytes


def test_every_folder_of_data_says_its_source_and_its_licence() -> None:
    for folder in (entry for entry in DATA.iterdir() if entry.is_dir()):
        assert "icence" in folder.joinpath("SOURCE.md").read_text(), folder.name


def test_a_copy_of_the_data_is_the_same_instance_wherever_it_lies(tmp_path: Path) -> None:
    shipped = parse_spec("gap:file=a05100")
    (tmp_path / "a05100").write_bytes(gzip.decompress(DATA.joinpath("gap", "a05100.gz").read_bytes()))
    own = parse_spec(f"gap:file=a05100,path={tmp_path}")
    assert own.text == f"gap:file=a05100,path={tmp_path}"
    assert parse_spec(own.text) == own
    assert digest(own) == digest(shipped)
    (tmp_path / "a05100").write_text("1 1\n5\n1\n1\n")
    assert digest(parse_spec(own.text)) != digest(shipped)
    assert of(own.text) == 5


def test_images_of_the_user_in_a_finer_resolution(tmp_path: Path) -> None:
    for image in ("7", "8"):
        (tmp_path / f"data64_{image}.csv").write_text("\n".join([",".join(["1"] * 64)] * 64))
    lp = generate(parse_spec(f"dotmark:pair=7-8,size=4,path={tmp_path}"))
    assert np.asarray(lp.polytope.params[0]).tolist() == [1.0] * 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gap:file=nope", "gap: nope is not shipped with the package: give path=FOLDER"),
        ("gap:file=../x", "gap:file=../x: give the name of an instance"),
        ("gap:path=/nowhere", "gap: /nowhere holds no d05100 or d05100.gz"),
        ("gap:size=3", "'size=3' in spec"),
        ("dotmark:pair=1001", "dotmark:pair=1001: give the numbers of two images"),
        ("dotmark:size=5", "dotmark:size=5: give 32, or what divides or doubles it"),
        ("dotmark:size=x", "size='x': expected a number"),
        ("dotmark:cost=cubic", "dotmark:cost=cubic: use one of squared, euclid"),
        ("lalonde:neighbours=0", "neighbours=0: expected a whole number of at least 1"),
        ("open-bandit:impressions=0", "impressions=0: expected a whole number of at least 1"),
        ("topology:network=Nowhere", "topology: Nowhere.graphml is not shipped"),
        ("topology:pairs=0", "pairs=0: expected a whole number of at least 1"),
        ("journey:lp=all", "journey:lp=all: use one of slots, money"),
        ("journey:lp=slots,quarter=1", "journey:lp=slots takes no quarter"),
        ("journey:lp=box-cut,campaign=9", "give campaign= one of 8, 13, 18, 27"),
        ("journey:lp=recurring", "journey:lp=recurring with quarter=0: give quarter= one of 1, 2, 3, 4"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_spec(text)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"2 3\n1 2", b"two three", b"\xff\xfe"])
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d05100").write_bytes(content)
    with pytest.raises(InstanceError) as refusal:
        generate(parse_spec(f"gap:path={tmp_path}"))
    assert "\n" not in str(refusal.value)


def test_a_packed_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d05100.gz").write_bytes(DATA.joinpath("gap", "d05100.gz").read_bytes()[:200])
    with pytest.raises(InstanceError, match=r"d05100\.gz cannot be read"):
        generate(parse_spec(f"gap:path={tmp_path}"))


def test_images_of_unequal_mass_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data32_1.csv").write_text(",".join(["1"] * 1024))
    shutil.copy(tmp_path / "data32_1.csv", tmp_path / "data32_2.csv")
    assert of(f"dotmark:pair=1-2,size=2,path={tmp_path}") == 0
    (tmp_path / "data32_2.csv").write_text(",".join(["2"] * 1024))
    with pytest.raises(InstanceError, match="sum to 1,024 and 2,048: transport needs equal sums"):
        generate(parse_spec(f"dotmark:pair=1-2,path={tmp_path}"))


def test_helpers_are_no_readers() -> None:
    assert not [scheme for scheme in readers() if scheme.startswith("_")]
