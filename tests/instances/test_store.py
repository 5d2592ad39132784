"""The cache of generated instances: memory-mapped, written whole or not at all, damage never trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from instances import InputError, digest, generate, parse_spec, stored
from instances.store import load, store
from tests.support.instances import assert_same

SPECS = [
    "dualip:sources=3000,destinations=20,degree=3,seed=1",
    "dualip-v5:sources=3000,destinations=20,degree=3,seed=1",
    "unit:sources=3000,destinations=20,degree=3,seed=1,polytope=simplex-eq,radius=2",
    "independent:sources=3000,destinations=20,degree=3,seed=1,polytope=box,radius=0.5",
    "slots:sources=3000,destinations=20,degree=3,seed=1",
    "volume:sources=30000,destinations=20,degree=3,seed=1",
    "pacing:sources=30000,destinations=20,degree=3,seed=1",
    "paths:sources=30000,destinations=20,degree=3,seed=1",
]
SPEC = parse_spec(SPECS[0])


@pytest.mark.parametrize("text", SPECS)
def test_the_second_time_it_comes_from_the_disk(tmp_path: Path, text: str) -> None:
    spec = parse_spec(text)
    made = stored(spec, tmp_path)
    loaded = load(tmp_path / digest(spec))
    assert loaded is not None
    assert_same(loaded, made)
    assert loaded.polytope == made.polytope
    assert_same(stored(spec, tmp_path), generate(spec))
    assert isinstance(loaded.c.base, np.memmap)


def test_an_entry_is_used_not_made_again(tmp_path: Path) -> None:
    stored(SPEC, tmp_path)
    other = generate(parse_spec(SPECS[3]))
    store(other, tmp_path / digest(SPEC), SPEC)
    assert_same(stored(SPEC, tmp_path), other)


def test_writing_into_a_loaded_array_does_not_reach_the_disk(tmp_path: Path) -> None:
    stored(SPEC, tmp_path)
    loaded = stored(SPEC, tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        loaded.a[:] = 0
    assert_same(stored(SPEC, tmp_path), generate(SPEC))


@pytest.mark.parametrize("name", ["offsets.npy", "destination.npy", "a.npy", "b.npy", "instance.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "flipped"])
def test_a_damaged_entry_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    stored(SPEC, tmp_path)
    entry = tmp_path / digest(SPEC)
    data = bytearray((entry / name).read_bytes())
    if damage == "missing":
        (entry / name).unlink()
    else:
        data[len(data) // 2] ^= 0x04
        (entry / name).write_bytes({"empty": b"", "truncated": data[: len(data) // 2], "flipped": data}[damage])
    assert_same(stored(SPEC, tmp_path), generate(SPEC))
    repaired = load(entry)
    assert repaired is not None
    assert_same(repaired, generate(SPEC))


def test_only_whole_entries_have_a_name(tmp_path: Path) -> None:
    stored(SPEC, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [digest(SPEC)]
    assert json.loads((tmp_path / digest(SPEC) / "instance.json").read_text())["spec"] == SPEC.text


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    old, young = tmp_path / "x.1.partial", tmp_path / "x.2.partial"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (time.time() - 2 * 24 * 3600,) * 2)
    stored(SPEC, tmp_path)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_cache_that_cannot_be_written_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"file.*cannot be written .*: set DUALBENCH_CACHE to another folder"):
        stored(SPEC, tmp_path / "file")


@pytest.mark.skipif(sys.platform != "linux", reason="counts as Linux does")
def test_an_instance_is_made_on_disk_in_a_fraction_of_its_size(tmp_path: Path) -> None:
    text = "dualip:sources=600000,destinations=50,degree=10,seed=1"  # 77 MB
    program = f"""
from pathlib import Path
from harness import memory
from instances import parse_spec, stored
stored(parse_spec("dualip:sources=500,destinations=50,degree=10,seed=1"), Path({str(tmp_path)!r}), threads=1)
memory.reset_peak()
before = memory.peak()["host"]
lp = stored(parse_spec({text!r}), Path({str(tmp_path)!r}), threads=1)
print(lp.nbytes, memory.peak()["host"] - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    size, peak = map(int, done.stdout.split())
    assert peak < size / 2
    lp = load(tmp_path / digest(parse_spec(text)))
    assert lp is not None
    assert_same(lp, generate(parse_spec(text)))


def test_a_disk_without_room_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GiB of disk"):
        stored(parse_spec("dualip:sources=1000000000000,destinations=50,degree=10,seed=1"), tmp_path)
    assert not list(tmp_path.iterdir())
