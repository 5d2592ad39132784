"""Parquet: exact round trip, row groups of whole sources, nothing foreign overwritten, damage never trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from instances import (
    Box,
    InputError,
    InstanceError,
    MatchingLP,
    ParquetSpec,
    PerSource,
    Polytope,
    Simplex,
    SpecError,
    digest,
    generate,
    memory_bytes,
    parse_spec,
    read_parquet,
    write_parquet,
)
from tests.support.instances import assert_same
from tests.support.limits import file_limit

SPEC = "dualip:sources=3000,destinations=20,degree=3,seed=1"


def small(polytope: Polytope, dtype: type = np.float32) -> MatchingLP:
    """Five sources; the first, a middle one and the last have no edges."""
    return MatchingLP(
        offsets=np.array([0, 0, 2, 2, 3, 3]),
        destination=np.array([0, 2, 2], dtype=np.int32),
        a=np.array([1.0, 0.1, 0.0], dtype=dtype),
        c=np.array([-0.0, -1.0 / 3.0, 2.0], dtype=dtype),
        b=np.array([1.0, 1e-8, 3.0]),
        polytope=polytope,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "polytope",
    [
        Simplex(z=2.5),
        Simplex(equality=True),
        Box(0.5),
        Simplex(z=np.arange(5.0)),
        PerSource(kind=np.array([0, 1, 2, 1, 0], dtype=np.uint8), radius=np.arange(5.0)),
    ],
)
def test_round_trip_is_exact(tmp_path: Path, polytope: Polytope, dtype: type) -> None:
    lp = small(polytope, dtype)
    write_parquet(lp, tmp_path / "lp", "by hand")
    assert_same(read_parquet(tmp_path / "lp"), lp)


def test_row_groups_hold_whole_sources(tmp_path: Path) -> None:
    lp = generate(parse_spec(SPEC.replace("3000", "20000")))
    write_parquet(lp, tmp_path / "lp", SPEC)
    with parquet.ParquetFile(tmp_path / "lp" / "edges.parquet") as file:
        sources = [set(file.read_row_group(g)["source"].to_pylist()) for g in range(file.num_row_groups)]
    assert len(sources) > 5
    assert sum(map(len, sources)) == len(set.union(*sources))
    assert_same(read_parquet(tmp_path / "lp"), lp)


def test_the_spec_lies_beside(tmp_path: Path) -> None:
    lp = generate(parse_spec(SPEC))
    write_parquet(lp, tmp_path / "lp", SPEC)
    header = json.loads((tmp_path / "lp" / "spec.json").read_text())
    assert (header["spec"], header["sources"], header["edges"]) == (SPEC, lp.sources, lp.edges)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lp"]


def test_a_stored_instance_is_a_spec_named_by_its_content(tmp_path: Path) -> None:
    one, other = generate(parse_spec(SPEC)), generate(parse_spec(SPEC.replace("seed=1", "seed=2")))
    for name, lp in (("a, b=c", one), ("again", one), ("other", other)):
        write_parquet(lp, tmp_path / name, "text")
    spec, again, third = (parse_spec(f"parquet:path={tmp_path / name}") for name in ("a, b=c", "again", "other"))
    assert spec == ParquetSpec(path=str(tmp_path / "a, b=c"))
    assert parse_spec(spec.text) == spec
    assert digest(spec) == digest(again) != digest(third)
    assert (spec.sources, spec.destinations, spec.expected_edges) == (one.sources, one.destinations, one.edges)
    assert memory_bytes(spec) == one.nbytes
    assert_same(generate(spec), one)


def test_writing_the_same_instance_again_changes_nothing(tmp_path: Path) -> None:
    lp = small(Simplex())
    write_parquet(lp, tmp_path / "lp", "first")
    write_parquet(lp, tmp_path / "lp", "second")
    assert json.loads((tmp_path / "lp" / "spec.json").read_text())["spec"] == "first"


def test_a_relative_place_in_folders_that_do_not_exist_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_parquet(small(Simplex()), Path("new/deep/lp"), "text")
    assert_same(read_parquet(tmp_path / "new" / "deep" / "lp"), small(Simplex()))


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    write_parquet(small(Simplex()), tmp_path, "text")
    assert_same(read_parquet(tmp_path), small(Simplex()))


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    write_parquet(small(Simplex()), tmp_path / "lp", "text")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place, lp in (("lp", small(Box())), ("notes", small(Box())), ("file", small(Box()))):
        with pytest.raises(InputError, match=f"{place} holds something else: give a new or empty folder"):
            write_parquet(lp, tmp_path / place, "text")
    assert_same(read_parquet(tmp_path / "lp"), small(Simplex()))
    assert (tmp_path / "notes" / "diary.txt").read_text() == "mine"


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with file_limit(100), pytest.raises(InputError, match=r"lp cannot be written \(.*\): give another place"):
        write_parquet(small(Simplex()), tmp_path / "lp", "text")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["edges.parquet", "budgets.parquet"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped"])
def test_damage_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    write_parquet(generate(parse_spec(SPEC)), tmp_path / "lp", SPEC)
    path = tmp_path / "lp" / name
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 3] ^= 0x10
        path.write_bytes(data)
    with pytest.raises(InstanceError, match="is damaged"):
        read_parquet(tmp_path / "lp")


@pytest.mark.parametrize(
    "text", ['{"format": "something else"}', "[]", "torn", '{"format": "dualbench matching LP 1"}']
)
def test_a_folder_without_an_instance_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(InputError, match="holds something else"):
        write_parquet(small(Simplex()), tmp_path, "text")
    with pytest.raises(SpecError, match="holds no instance"):
        read_parquet(tmp_path)


def test_a_path_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/h\xfc"))
    with pytest.raises(InputError, match="no UTF-8, which Parquet files need"):
        write_parquet(generate(parse_spec("unit:sources=10,destinations=3,degree=2,seed=1")), folder, "any")
    assert not list(tmp_path.iterdir())
