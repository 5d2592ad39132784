"""Checkpoints: whole or not at all, for any number of ranks, and never of another run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instances import InputError
from solvers.engine.checkpoint import CheckpointStore, Snapshot
from solvers.engine.collectives import LOCAL
from tests.support.ranks import on_ranks

IDENTITY = {"instance": "some", "solver": "blockpdhg"}


def checkpoints(folder: Path, group: Any = LOCAL, *, edges: int = 12, every: float = 1.0) -> CheckpointStore:
    return CheckpointStore(folder, group, identity=IDENTITY, edges=edges, every=every)


def state(iteration: int, edges: slice = slice(0, 12)) -> Snapshot:
    return Snapshot(
        iteration=iteration,
        seconds=float(iteration),
        numbers={"weight": 0.1 + iteration, "worst": float("inf")},
        shared={"y": np.linspace(0, 1, 5)},
        primal={"x": (np.arange(12, dtype=np.float32) + iteration)[edges]},
    )


def test_what_was_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    checkpoints(tmp_path).save(state(7))
    found = checkpoints(tmp_path).load()
    assert found is not None
    assert (found.iteration, found.seconds, dict(found.numbers)) == (7, 7.0, dict(state(7).numbers))
    np.testing.assert_array_equal(found.shared["y"], state(7).shared["y"])
    np.testing.assert_array_equal(found.primal["x"], state(7).primal["x"])


def test_there_is_nothing_to_load_at_first(tmp_path: Path) -> None:
    assert checkpoints(tmp_path / "absent").load() is None


@pytest.mark.parametrize(("before", "after"), [((5, 7), (12,)), ((12,), (1, 4, 7)), ((3, 3, 6), (8, 4))])
def test_another_number_of_ranks_goes_on(tmp_path: Path, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    def part(edges: tuple[int, ...], rank: int) -> slice:
        return slice(sum(edges[:rank]), sum(edges[: rank + 1]))

    on_ranks(
        len(before),
        lambda group: checkpoints(tmp_path, group, edges=before[group.rank]).save(state(3, part(before, group.rank))),
    )
    found = on_ranks(len(after), lambda group: checkpoints(tmp_path, group, edges=after[group.rank]).load())
    np.testing.assert_array_equal(np.concatenate([f.primal["x"] for f in found if f]), state(3).primal["x"])


@pytest.mark.parametrize("name", ["x.0.npy", "shared.npz", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path, name: str, damage: str) -> None:
    for iteration in (1, 2):
        checkpoints(tmp_path).save(state(iteration))
    file = tmp_path / "000000002" / name
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2 if name != "manifest.json" else 0] ^= 255
        file.write_bytes(content)
    again = checkpoints(tmp_path)
    found = again.load()
    assert found is not None
    assert found.iteration == 1
    assert "000000002 is damaged" in again.notes[0]


def test_two_checkpoints_are_kept(tmp_path: Path) -> None:
    mine = checkpoints(tmp_path)
    for iteration in range(1, 6):
        mine.save(state(iteration))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["000000004", "000000005"]


@pytest.mark.parametrize("change", [{"solver": "dualip"}, {"instance": "other"}])
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    checkpoints(tmp_path).save(state(1))
    other = CheckpointStore(tmp_path, LOCAL, identity=IDENTITY | change, edges=12, every=1.0)
    ((name, mine),) = change.items()
    with pytest.raises(InputError, match=f"its {name} is '{IDENTITY[name]}', this run has '{mine}'"):
        other.load()


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        '{"identity": 3}',
        '{"identity": {"instance": "some", "solver": "blockpdhg"}, "files": {"shared.npz": "0"}}',
        None,
    ],
)
def test_a_manifest_of_other_things_is_damage(tmp_path: Path, manifest: str | None) -> None:
    """None: a manifest that is right but for a vector whose name leads out of the checkpoint."""
    checkpoints(tmp_path).save(state(1))
    file = tmp_path / "000000001" / "manifest.json"
    file.write_text(file.read_text().replace('"x"', '"../x"') if manifest is None else manifest)
    again = checkpoints(tmp_path)
    assert again.load() is None
    assert "000000001 is damaged" in again.notes[0]


def test_a_fault_while_writing_is_noted_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    mine = checkpoints(tmp_path / "file")
    mine.save(state(4))
    assert mine.saved == 0
    assert "checkpoint of iteration 4 was lost" in mine.notes[0]


def test_an_iteration_that_is_saved_again_takes_the_place_of_the_damaged_one(tmp_path: Path) -> None:
    checkpoints(tmp_path).save(state(1))
    (tmp_path / "000000001" / "x.0.npy").write_bytes(b"damage")
    mine = checkpoints(tmp_path)
    mine.save(state(1))
    found = mine.load()
    assert found is not None
    assert found.iteration == 1
    assert mine.saved == 1


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed, real = {}, os.fsync

    def flush(descriptor: int) -> None:
        real(descriptor)
        flushed[os.fstat(descriptor).st_ino] = (tmp_path / "000000001").exists()

    monkeypatch.setattr(os, "fsync", flush)
    checkpoints(tmp_path).save(state(1))
    files = {file.stat().st_ino for file in (tmp_path / "000000001").iterdir()}
    assert len(files) == 3
    assert {inode for inode, named in flushed.items() if not named} >= files


def test_a_run_that_goes_on_saves_an_interval_later(tmp_path: Path) -> None:
    checkpoints(tmp_path).save(state(7))
    again = checkpoints(tmp_path, every=2.0)
    assert again.load() is not None
    assert not again.due(8.9)
    assert again.due(9.0)


def test_it_is_due_after_the_interval(tmp_path: Path) -> None:
    mine = checkpoints(tmp_path, every=2.0)
    assert not mine.due(1.9)
    assert mine.due(2.0)
    mine.save(state(2))
    assert not mine.due(3.9)


def test_by_default_it_costs_less_than_a_fiftieth_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 20.5])
    monkeypatch.setattr("solvers.engine.checkpoint.time.perf_counter", lambda: next(clock))
    mine = CheckpointStore(tmp_path, LOCAL, identity=IDENTITY, edges=12)
    assert mine.due(300.0)
    mine.save(state(300))
    assert not mine.due(300 + 499)
    assert mine.due(300 + 500)
    mine.save(state(800))
    assert not mine.due(800 + 299)  # it took half a second
    assert mine.due(800 + 300)
