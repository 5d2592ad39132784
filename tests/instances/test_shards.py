"""A part is what the whole holds there, the parts are the whole, and nobody makes more than a part."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import Table
from pyarrow.parquet import ParquetFile, ParquetWriter, read_metadata, read_table, write_table

from instances import (
    InstanceError,
    MatchingLP,
    ParquetSpec,
    PerSource,
    Rows,
    Simplex,
    SpecError,
    content_hash,
    generate,
    parse_spec,
    read_parquet,
    write_parquet,
)  # fmt: skip
from instances.content import edge_arrays_of, hash_of_pieces, limits_hash
from instances.mapped import is_mapped
from instances.row_groups import RowGroups
from instances.shards import Part, load_part, require_parts, shares
from instances.spec import Spec

SPECS = (
    "dualip:sources=70000,destinations=50,degree=3,seed=4",
    "unit:sources=50000,destinations=20,degree=2,seed=1,polytope=simplex-eq,radius=2",
    "volume:sources=60000,destinations=20,degree=2,seed=2",
)


def all_parts(spec: Spec, ranks: int) -> list[Part]:
    """Every rank in turn; the loads of all are added up as the ranks would."""
    loads: list[npt.NDArray[np.int64]] = []

    def remember(load: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        loads.append(load)
        return load

    for rank in range(ranks):
        load_part(spec, rank, ranks, remember)
    return [load_part(spec, rank, ranks, lambda _: sum(loads[1:], loads[0])) for rank in range(ranks)]


def digest_of(parts: list[Part]) -> str:
    return hash_of_pieces([digest for part in parts for digest in part.digests()], parts[0].lp)


@pytest.mark.parametrize("text", SPECS)
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_parts_are_the_whole_instance(text: str, ranks: int) -> None:
    spec = parse_spec(text)
    whole, parts = generate(spec), all_parts(spec, ranks)
    held = [edge_arrays_of(part.lp) for part in parts]
    for name, array in edge_arrays_of(whole).items():
        np.testing.assert_array_equal(np.concatenate([arrays[name] for arrays in held]), array)
    np.testing.assert_array_equal(np.concatenate([p.lp.degrees() for p in parts]), whole.degrees())
    assert {limits_hash(part.lp) for part in parts} == {limits_hash(whole)}
    assert [p.first_source for p in parts[1:]] == np.cumsum([p.lp.sources for p in parts[:-1]]).tolist()


@pytest.mark.parametrize("text", SPECS)
def test_the_digest_does_not_depend_on_the_ranks(text: str) -> None:
    spec = parse_spec(text)
    assert digest_of(all_parts(spec, 1)) == digest_of(all_parts(spec, 2)) == digest_of(all_parts(spec, 3))


def test_the_digest_sees_a_changed_edge() -> None:
    part = all_parts(parse_spec(SPECS[0]), 1)[0]
    before = digest_of([part])
    part.lp.a[-1] += 1
    assert digest_of([part]) != before


def test_more_ranks_than_blocks_are_refused() -> None:
    with pytest.raises(SpecError, match="2 ranks for 1 blocks of sources: use at most 1"):
        load_part(parse_spec("unit:sources=100,destinations=5,degree=2"), 0, 2, lambda load: load)


def test_a_family_made_as_a_whole_is_refused() -> None:
    with pytest.raises(SpecError, match="made as a whole"):
        load_part(parse_spec("dualip-v5:sources=100,destinations=10,degree=2"), 0, 1, lambda load: load)


@given(st.lists(st.integers(250, 1000), min_size=1, max_size=90), st.data())
@settings(deadline=None, max_examples=200, derandomize=True)
def test_shares_cover_all_pieces_and_balance_edges(edges: list[int], data: st.DataObject) -> None:
    ranks = data.draw(st.integers(1, len(edges)))
    found = shares(edges, ranks, "pieces")
    assert found[0][0] == 0
    assert found[-1][1] == len(edges)
    assert all(first < last for first, last in found)
    assert [first for first, _ in found[1:]] == [last for _, last in found[:-1]]
    if len(edges) >= 20 * ranks and min(edges) * 4 >= max(edges):  # elsewhere every rank having a piece comes first
        assert max(sum(edges[i:k]) for i, k in found) <= sum(edges) / ranks + max(edges)


def test_every_rank_has_a_piece_where_the_last_is_most_of_all() -> None:
    assert shares([1, 1, 1000], 3, "pieces") == [(0, 1), (1, 2), (2, 3)]


def test_equal_pieces_are_shared_equally() -> None:
    assert [last - first for first, last in shares([10] * 64, 4, "pieces")] == [16] * 4


#: Enough for several row groups.
SOURCES = 12_000


@pytest.fixture
def stored(tmp_path: Path) -> tuple[MatchingLP, Path]:
    """An instance with three kinds of polytopes and sources without edges, in several row groups."""
    lp = generate(parse_spec(f"independent:sources={SOURCES},destinations=12,degree=2,seed=3"))
    kind = (np.arange(SOURCES) % 3).astype(np.uint8)
    kind[lp.degrees() == 0] = 0
    lp = MatchingLP(
        offsets=lp.offsets, destination=lp.destination, a=lp.a, c=lp.c, b=lp.b,
        polytope=PerSource(kind=kind, radius=np.linspace(0.5, 2, SOURCES)),
    )  # fmt: skip
    write_parquet(lp, tmp_path / "stored", "stored")
    return lp, tmp_path / "stored"


@pytest.mark.parametrize("ranks", [1, 3])
def test_parts_of_a_stored_instance_are_the_whole(stored: tuple[MatchingLP, Path], ranks: int) -> None:
    whole, folder = stored
    spec = parse_spec(f"parquet:path={folder}")
    parts = [load_part(spec, rank, ranks, lambda load: load) for rank in range(ranks)]
    for name in ("destination", "a", "c"):
        np.testing.assert_array_equal(np.concatenate([getattr(p.lp, name) for p in parts]), getattr(whole, name))
    np.testing.assert_array_equal(np.concatenate([p.lp.degrees() for p in parts]), whole.degrees())
    np.testing.assert_array_equal(np.concatenate([p.lp.per_source.kind for p in parts]), whole.per_source.kind)
    np.testing.assert_array_equal(np.concatenate([p.lp.per_source.radius for p in parts]), whole.per_source.radius)


def test_a_part_of_an_lp_beyond_the_short_form_is_beyond_it_too(tmp_path: Path) -> None:
    """Ranks that took different forms of one LP would wait for each other."""
    edges = np.ones(SOURCES, dtype=np.float32)
    edges[-1] = -1
    whole = MatchingLP(
        offsets=np.arange(SOURCES + 1),
        c=-edges,
        rows=[Rows("total", coefficient=edges, upper=[SOURCES / 2])],
    )
    write_parquet(whole, tmp_path / "stored", "by hand")
    spec = parse_spec(f"parquet:path={tmp_path / 'stored'}")
    first, last = (load_part(spec, rank, 2, lambda load: load).lp for rank in range(2))
    assert (first.rows[0].coefficient == 1).all()  # type: ignore[union-attr]
    assert not first.is_short_form
    assert not last.is_short_form


@pytest.mark.parametrize(
    "change",
    [
        {"lower": [1.0], "upper": np.inf},
        {"upper": [1.0], "penalty": 3.0},
        {"upper": [1.0], "coefficient": 2.0},
        {"upper": [1.0], "polytope": Simplex(z=2.0)},
    ],
    ids=["side", "price", "coefficient", "polytope"],
)
def test_the_digest_sees_what_no_array_of_edges_says(change: dict[str, Any]) -> None:
    def made(*, polytope: Simplex | None = None, **fields: Any) -> str:
        rows = [Rows("floor", row=np.arange(3), lower=[1.0] * 3), Rows("total", **fields)]
        lp = MatchingLP(offsets=np.arange(4), c=-np.ones(3), rows=rows, polytope=polytope)
        return digest_of([Part(lp=lp, first_source=0, pieces=np.array([0, 3]))])

    assert made(**change) != made(upper=[1.0])


def test_a_changed_row_group_is_refused_by_the_rank_that_reads_it(stored: tuple[MatchingLP, Path]) -> None:
    _, folder = stored
    file = folder / "edges.parquet"
    coefficients = read_metadata(file).row_group(0).column(2)
    content = bytearray(file.read_bytes())
    content[coefficients.data_page_offset + coefficients.total_compressed_size - 5] ^= 1
    file.write_bytes(content)
    with pytest.raises(InstanceError, match="damaged or incomplete"):
        load_part(parse_spec(f"parquet:path={folder}"), 0, 1, lambda load: load)


def test_a_source_in_two_row_groups_is_refused(stored: tuple[MatchingLP, Path]) -> None:
    whole, folder = stored
    file, first = folder / "edges.parquet", whole.offsets[np.flatnonzero(whole.degrees() > 1)[0]]
    write_table(read_table(file), file, row_group_size=int(first) + 1)
    with pytest.raises(InstanceError, match="a source lies in two row groups"):
        load_part(parse_spec(f"parquet:path={folder}"), 0, 1, lambda load: load)


def older(folder: Path) -> None:
    """As a version wrote it that kept the hash of the whole alone."""
    header = json.loads((folder / "spec.json").read_text())
    del header["pieces"], header["budgets"]
    (folder / "spec.json").write_text(json.dumps(header))


def rewritten(folder: Path, name: str, change: Callable[[Table], Table]) -> None:
    """The rows of a file changed, its row groups as they were."""
    file = folder / name
    with ParquetFile(file) as old:
        groups = [old.metadata.row_group(k).num_rows for k in range(old.num_row_groups)]
    table, start = change(read_table(file)), 0
    with ParquetWriter(file, table.schema) as writer:
        for size in groups:
            writer.write_table(table.slice(start, size), row_group_size=max(1, size))
            start += size


@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("old", [False, True])
def test_budgets_and_polytopes_are_placed_by_their_keys(
    stored: tuple[MatchingLP, Path], ranks: int, *, old: bool
) -> None:
    """A join writes them in any order."""
    whole, folder = stored
    for name, key in (("budgets.parquet", "destination"), ("polytopes.parquet", "source")):
        rewritten(folder, name, lambda table, key=key: table.sort_by([(key, "descending")]))
    if old:
        older(folder)
    parts = [load_part(parse_spec(f"parquet:path={folder}"), rank, ranks, lambda load: load) for rank in range(ranks)]
    for part in parts:
        np.testing.assert_array_equal(part.lp.b, whole.b)
    np.testing.assert_array_equal(np.concatenate([p.lp.per_source.radius for p in parts]), whole.per_source.radius)
    assert content_hash(read_parquet(folder)) == content_hash(whole)


def _other_costs(table: Table) -> Table:
    return table.set_column(3, "c", [np.asarray(table["c"]) * np.float32(0.5)])


def _other_budgets(table: Table) -> Table:
    return table.set_column(1, "b", [np.asarray(table["b"]) * 2])


def _twice_the_first(table: Table) -> Table:
    keys = np.asarray(table["destination"]).copy()
    keys[1] = keys[0]
    return table.set_column(0, "destination", [keys])


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("edges.parquet", _other_costs, "not what was written"),
        ("edges.parquet", lambda table: table.take(np.arange(table.num_rows)[::-1]), "damaged"),
        (
            "budgets.parquet",
            lambda table: table.set_column(1, "b", [np.asarray(table["b"]) * 2]),
            "not what was written",
        ),
        ("budgets.parquet", lambda table: table.slice(1), "has 11 rows, expected one for each of 0 to 11"),
        ("budgets.parquet", _twice_the_first, "has 12 rows, expected one for each of 0 to 11"),
        (
            "polytopes.parquet",
            lambda table: table.set_column(2, "radius", [np.full(12_000, 9.0)]),
            "not what was written",
        ),
    ],
)
def test_content_replaced_under_an_old_spec_is_damage_for_ranks_as_for_a_run(
    stored: tuple[MatchingLP, Path], name: str, change: Callable[[Table], Table], words: str, *, old: bool
) -> None:
    _, folder = stored
    rewritten(folder, name, change)
    if old:
        older(folder)
    spec = parse_spec(f"parquet:path={folder}")
    with pytest.raises(InstanceError, match=f"damaged or incomplete.*{words}|{words}"):
        _ = [load_part(spec, rank, 2, lambda load: load) for rank in range(2)]
    with pytest.raises(InstanceError, match="is damaged"):
        read_parquet(folder)


@pytest.mark.parametrize(
    ("column", "kind"), [("destination", "string"), ("a", "decimal128(20, 10)"), ("source", "string"), ("c", "int64")]
)
def test_a_column_of_another_type_is_named_with_what_is_expected(
    stored: tuple[MatchingLP, Path], column: str, kind: str
) -> None:
    import pyarrow as pa

    _, folder = stored
    wanted = {"string": pa.string(), "int64": pa.int64()}.get(kind, pa.decimal128(20, 10))
    table = read_table(folder / "edges.parquet")
    place = table.schema.get_field_index(column)
    write_table(table.set_column(place, column, table[column].cast(wanted, safe=False)), folder / "edges.parquet")
    with pytest.raises(SpecError, match=rf"column {column} of edges.parquet is {re.escape(kind)}, expected "):
        read_parquet(folder)


def test_a_small_instance_is_written_in_as_many_groups_as_some_ranks_need(tmp_path: Path) -> None:
    spec = parse_spec("dualip:sources=20000,destinations=50,degree=10,seed=1")
    write_parquet(generate(spec), tmp_path / "stored", spec.text)
    require_parts(parse_spec(f"parquet:path={tmp_path / 'stored'}"), 16)


def test_a_missing_file_is_named(stored: tuple[MatchingLP, Path]) -> None:
    _, folder = stored
    (folder / "edges.parquet").unlink()
    with pytest.raises(InstanceError, match="damaged or incomplete"):
        load_part(parse_spec(f"parquet:path={folder}"), 0, 1, lambda load: load)


def test_too_many_parts_are_refused_beforehand(stored: tuple[MatchingLP, Path]) -> None:
    with pytest.raises(SpecError, match="5 ranks for 4 blocks of sources"):
        require_parts(parse_spec(SPECS[1]), 5)
    with pytest.raises(SpecError, match=r"99 ranks for \d+ row groups"):
        require_parts(parse_spec(f"parquet:path={stored[1]}"), 99)


@pytest.mark.parametrize("text", ["volume:sources=12000,destinations=20,degree=4,seed=2", SPECS[0]])
def test_edges_may_lie_in_a_folder_of_files(text: str, tmp_path: Path) -> None:
    lp = generate(parse_spec(text))
    write_parquet(lp, tmp_path / "lp", text)
    groups = RowGroups(tmp_path / "lp").edges.size
    assert groups > 3
    _split_into_files(tmp_path / "lp" / "edges.parquet", groups_a_file=2)

    assert content_hash(read_parquet(tmp_path / "lp")) == content_hash(lp)
    assert RowGroups(tmp_path / "lp").content()[0] == content_hash(lp)
    mapped = ParquetSpec(path=str(tmp_path / "lp")).read_mapped(tmp_path / "scratch")
    assert is_mapped(mapped.c)
    assert content_hash(mapped) == content_hash(lp)
    parts = all_parts(parse_spec(f"parquet:path={tmp_path / 'lp'}"), 3)
    np.testing.assert_array_equal(np.concatenate([part.lp.c for part in parts]), lp.c)


def _split_into_files(file: Path, groups_a_file: int) -> None:
    """In place of the file a folder of files with so many of its row groups each."""
    with ParquetFile(file) as whole:
        tables = [whole.read_row_group(k) for k in range(whole.num_row_groups)]
    file.unlink()
    file.mkdir()
    for first in range(0, len(tables), groups_a_file):
        with ParquetWriter(file / f"part-{first:05}.parquet", tables[0].schema) as writer:
            for table in tables[first : first + groups_a_file]:
                writer.write_table(table, row_group_size=max(1, table.num_rows))
