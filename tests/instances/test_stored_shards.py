"""Parts of a stored instance are what the whole holds there; damage is found by the rank that reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyarrow import Table
from pyarrow.parquet import ParquetFile, ParquetWriter, read_metadata, read_table, write_table

from instances import (
    InstanceError,
    MatchingLP,
    ParquetSpec,
    PerSource,
    Rows,
    SpecError,
    content_hash,
    generate,
    parse_spec,
    read_parquet,
    write_parquet,
)  # fmt: skip
from instances.mapped import is_mapped
from instances.row_groups import RowGroups
from instances.shards import load_part, require_parts
from tests.support.parts import all_parts

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


def test_more_ranks_than_row_groups_are_refused_beforehand(stored: tuple[MatchingLP, Path]) -> None:
    with pytest.raises(SpecError, match=r"99 ranks for \d+ row groups"):
        require_parts(parse_spec(f"parquet:path={stored[1]}"), 99)


@pytest.mark.parametrize(
    "text",
    ["volume:sources=12000,destinations=20,degree=4,seed=2", "dualip:sources=70000,destinations=50,degree=3,seed=4"],
)
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
