"""Families of rows on the disk: the same instance from the store, from Parquet and from its parts; hashes that stay."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from pyarrow import parquet

from harness.cli import invoke
from instances import (
    InputError,
    InstanceError,
    MatchingLP,
    PerSource,
    RaggedRows,
    Rows,
    SpecError,
    content_hash,
    generate,
    parse_spec,
    read_parquet,
    write_parquet,
)
from instances.content import hash_of_pieces
from instances.parquet_edges import EDGES_FILE
from instances.shards import load_part
from instances.sides import SIDE_NAMES
from instances.store import load, store
from tests.support.families import family_lps

SPEC = parse_spec("dualip:sources=300,destinations=20,degree=3,seed=1")
#: Content hashes of the first version that had them: stored instances, records and checkpoints name them.
KNOWN = {
    SPEC.text: "3514d4e943d67f8b7e39abd20b121acbf69fb99c3dbd8d6ff00638bd65aa5675",
    "dualip-v5:sources=300,destinations=20,degree=3,seed=1": (
        "eb67adcd4c5321759fbb8b105c30f4c8b783c19bea581796acd8d720539f567f"
    ),
    "unit:sources=300,destinations=20,degree=3,seed=1,polytope=simplex-eq,radius=2": (
        "58d216a22c8f4f829418913107ddedbf70ee29287880a8cee423a19c5c55c385"
    ),
    "movielens": "9eea7d68cf95257f88d7a1d431ac26bd18341ac37d1e3f4a390e7a2c6a78ecf0",
}


def short_form() -> MatchingLP:
    return MatchingLP(
        offsets=np.array([0, 2, 2, 3]),
        destination=np.array([0, 1, 1], dtype=np.int32),
        a=np.array([1.0, 2.0, 3.0], dtype=np.float32),
        c=np.array([-1.0, -2.0, 4.0]),
        b=np.array([5.0, np.inf]),
        polytope=PerSource(kind=np.array([0, 1, 2], np.uint8), radius=np.arange(3.0)),
    )


@pytest.mark.parametrize("text", KNOWN)
def test_the_hash_of_an_instance_never_changes(text: str) -> None:
    assert content_hash(generate(parse_spec(text))) == KNOWN[text]


def test_hashes_of_parts_never_change(tmp_path: Path) -> None:
    assert content_hash(short_form()) == "601e2b638144bb955ef65b7a498bca1e69de064ff6ea06fbc497a222b613a0cf"
    write_parquet(short_form(), tmp_path / "lp", "by hand")
    header = json.loads((tmp_path / "lp" / "spec.json").read_text())
    assert header["format"] == "dualbench matching LP 1"
    assert header["pieces"] == ["2760724e46e87731be121eda98cdf3b66eaeb4150629aaf447a606790c492917"]
    assert header["budgets"] == "4117b34c1e9ac3621c3ca6cc84f34b721f7e7b36d20a20408447c5afd3559174"
    part = load_part(SPEC, 0, 1, lambda load: load)
    digest = "0044d55e3aff78810691a2d067c96b22763268830dd9c3ad505dc627e79ac7e0"
    assert hash_of_pieces(part.digests(), part.lp) == digest


def assert_same_rows(one: MatchingLP, other: MatchingLP) -> None:
    """Bit for bit, with names and keys."""
    assert content_hash(one) == content_hash(other)
    for mine, theirs in zip(one.rows, other.rows, strict=True):
        assert (type(mine), mine.name, mine.rows) == (type(theirs), theirs.name, theirs.rows)
        for name in (*SIDE_NAMES, "row", "coefficient", "entry_offsets", "keys"):
            first, second = (np.asarray(getattr(family, name, None)) for family in (mine, theirs))
            assert first.dtype == second.dtype, name
            assert np.array_equal(first, second), name


@settings(deadline=None, max_examples=40)
@given(lp=family_lps())
def test_store_and_parquet_keep_every_bit(lp: MatchingLP) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store(lp, Path(folder) / "entry", SPEC)
        loaded = load(Path(folder) / "entry")
        assert loaded is not None
        assert_same_rows(loaded, lp)
        write_parquet(lp, Path(folder) / "lp", "by hand")
        assert_same_rows(read_parquet(Path(folder) / "lp"), lp)


def many_edges() -> MatchingLP:
    """Enough for several row groups: an aligned family with keys, one row for all, and a ragged family."""
    rng = np.random.default_rng(3)
    sources = 6000
    offsets = np.concatenate(([0], np.cumsum(rng.integers(0, 5, sources))))
    edges = int(offsets[-1])
    entries = np.concatenate(([0], np.cumsum(rng.integers(0, 4, edges))))
    return MatchingLP(
        offsets=offsets,
        c=rng.standard_normal(edges),
        polytope=PerSource(kind=np.arange(sources) % 2, radius=rng.random(sources)),
        rows=[
            Rows("campaign", row=rng.integers(0, 9, edges), coefficient=rng.random(edges), upper=rng.random(9) - 0.2,
                 keys=[f"c{k}" for k in range(9)]),
            Rows("total", lower=1.0, upper=90.0, penalty=(0.5, np.inf)),
            RaggedRows("link", entry_offsets=entries, row=rng.integers(0, 7, entries[-1]), lower=np.arange(7.0),
                       coefficient=rng.random(entries[-1]).astype(np.float32), penalty=0.25),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("ranks", [1, 3])
def test_parts_of_families_are_the_whole(tmp_path: Path, ranks: int) -> None:
    whole = many_edges()
    write_parquet(whole, tmp_path / "lp", "by hand")
    spec = parse_spec(f"parquet:path={tmp_path / 'lp'}")
    parts = [load_part(spec, rank, ranks, lambda load: load) for rank in range(ranks)]
    for k, family in enumerate(whole.rows):
        mine = [part.lp.rows[k] for part in parts]
        assert all(np.array_equal(one.upper, family.upper) for one in mine)
        for name in ("row", "coefficient"):
            if isinstance(getattr(family, name), np.ndarray):
                joined = np.concatenate([getattr(one, name) for one in mine])
                assert np.array_equal(joined, getattr(family, name))
    counts = np.concatenate([np.diff(part.lp.rows[2].entry_offsets) for part in parts])
    assert np.array_equal(counts, np.diff(whole.rows[2].entry_offsets))
    digests = [digest for part in parts for digest in part.digests()]
    alone = load_part(spec, 0, 1, lambda load: load)
    assert hash_of_pieces(digests, parts[0].lp) == hash_of_pieces(alone.digests(), alone.lp)


@pytest.mark.parametrize("column", ["row_2", "coefficient_0"])
def test_a_changed_entry_is_seen_by_whole_and_part(tmp_path: Path, column: str) -> None:
    write_parquet(many_edges(), tmp_path / "lp", "by hand")
    file = tmp_path / "lp" / EDGES_FILE
    with parquet.ParquetFile(file) as old:
        groups = [old.read_row_group(k) for k in range(old.num_row_groups)]
    at = groups[0].schema.get_field_index(column)
    turned = groups[0].column(column).take(list(range(groups[0].num_rows))[::-1])
    groups[0] = groups[0].set_column(at, groups[0].schema.field(at), turned)
    with parquet.ParquetWriter(file, groups[0].schema) as writer:
        for group in groups:
            writer.write_table(group)
    spec = parse_spec(f"parquet:path={tmp_path / 'lp'}")
    with pytest.raises(InstanceError, match="damaged"):
        read_parquet(tmp_path / "lp")
    with pytest.raises(InstanceError, match="row group 0 is not what was written"):
        load_part(spec, 0, 2, lambda load: load)


def test_changed_limits_and_keys_are_seen(tmp_path: Path) -> None:
    for file, column, told in (
        ("rows_0.parquet", "upper", "what was written"),
        ("rows_0.parquet", "key", "the keys of the rows campaign are not what was written"),
    ):
        folder = tmp_path / column
        write_parquet(many_edges(), folder, "by hand")
        table = parquet.read_table(folder / file)
        at = table.schema.get_field_index(column)
        turned = table.column(column).take(list(range(table.num_rows))[::-1])
        parquet.write_table(table.set_column(at, column, turned), folder / file)
        with pytest.raises(InstanceError, match=told):
            read_parquet(folder)


def test_rows_may_come_in_any_order(tmp_path: Path) -> None:
    write_parquet(many_edges(), tmp_path / "lp", "by hand")
    for k in range(3):
        file = tmp_path / "lp" / f"rows_{k}.parquet"
        table = parquet.read_table(file)
        parquet.write_table(table.take(list(range(table.num_rows))[::-1]), file)
    assert_same_rows(read_parquet(tmp_path / "lp"), many_edges())


def test_the_short_form_keeps_its_name_and_keys(tmp_path: Path) -> None:
    lp = short_form()
    named = MatchingLP(
        offsets=lp.offsets,
        c=lp.c,
        polytope=lp.polytope,
        rows=[Rows("campaign", row=lp.destination, coefficient=lp.a, upper=lp.b, keys=[7, 3])],
    )
    write_parquet(named, tmp_path / "lp", "by hand")
    assert_same_rows(read_parquet(tmp_path / "lp"), named)
    assert_same_rows(load_part(parse_spec(f"parquet:path={tmp_path / 'lp'}"), 0, 1, lambda load: load).lp, named)
    with pytest.raises(InputError, match="holds something else"):
        write_parquet(lp, tmp_path / "lp", "the same numbers without the names")


def test_a_later_format_is_refused_in_one_line(tmp_path: Path) -> None:
    write_parquet(many_edges(), tmp_path / "lp", "by hand")
    header = json.loads((tmp_path / "lp" / "spec.json").read_text())
    assert header["format"] == "dualbench matching LP 2"
    (tmp_path / "lp" / "spec.json").write_text(json.dumps(header | {"format": "dualbench matching LP 4"}))
    with pytest.raises(SpecError, match=r"lp is of format 4, this version of dualbench reads up to 3: use a newer"):
        read_parquet(tmp_path / "lp")


def test_stored_families_are_described(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_parquet(many_edges(), tmp_path / "lp", "by hand")
    assert invoke(["instances", f"parquet:path={tmp_path / 'lp'}"]) == 0
    assert "link: 7 rows, each edge in 0 to 3 of them" in " ".join(capfd.readouterr().out.split())


def test_the_size_of_families_is_known_before_they_are_read(tmp_path: Path) -> None:
    lp = many_edges()
    write_parquet(lp, tmp_path / "lp", "by hand")
    spec = parse_spec(f"parquet:path={tmp_path / 'lp'}")
    assert (spec.nbytes, spec.destinations, spec.expected_edges) == (lp.nbytes, 9, lp.edges)
    link, entries = lp.rows[2], int(lp.rows[2].entry_offsets[-1])
    assert link.nbytes == 8 * (lp.edges + 1) + (4 + 4) * entries + 8 * 7 * 2
