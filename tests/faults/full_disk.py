"""`python full_disk.py FOLDER`, with FOLDER a file system of some MB: what was recorded stays whole when it is full,
and what is missing is run once there is room. Prints how many states of a full disk it went through;
test_full_disk.py starts it in a mount namespace.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from harness.cli import invoke
from harness.records import NotWrittenError, append, read, write_whole

PAGE = 4096
RUN = ["run", "smoke", "--instance", "unit:sources=100,destinations=10,degree=3,seed=1", "--solver", "scipy-highs-ds"]
MORE = ["--instance", "dualip:sources=100,destinations=10,degree=3,seed=1", "--repeats", "3"]


def main(folder: Path) -> int:
    states = 0
    for pages in range(8):
        for length in (50, 700, 3000, 5000):
            rows_and_duals(folder, pages, length)
            states += 1
    for pages in (2, 3, 4, 5, 8) if os.environ.get("DUALBENCH_CAMPAIGN") else (3,):
        command(folder, pages)
        states += 1
    sys.stdout.write(f"{states} states of a full disk\n")
    return 0


def rows_and_duals(folder: Path, pages: int, length: int) -> None:
    """Rows of one length until the disk is full; then a dual; then again with room."""
    file, filler = folder / "records.jsonl", fill(folder, pages)
    written = 0
    try:
        while True:
            append(file, {"schema": 1, "kind": "run", "suite": str(written), "text": "x" * length})
            written += 1
    except NotWrittenError:
        pass
    found = read(file)
    assert [row["suite"] for row in found.runs] == [str(k) for k in range(written)], "rows were lost or torn"
    assert not found.warnings, found.warnings
    try:
        write_whole(folder / "duals" / "a.npy", b"x" * PAGE * 9)
    except NotWrittenError:
        assert not [path for path in folder.rglob("*") if path.suffix in (".npy", ".partial")], "half a dual is left"
    else:
        raise AssertionError("the disk was not full")
    filler.unlink()
    append(file, {"schema": 1, "kind": "run", "suite": "after"})
    write_whole(folder / "duals" / "a.npy", b"x")
    assert len(read(file).runs) == written + 1
    clear(folder)


def command(folder: Path, pages: int) -> None:
    """`dualbench run` until the disk is full, then `--resume` with room."""
    out, filler = folder / "out", fill(folder, pages)
    assert invoke([*RUN, *MORE, "--out", str(out)]) == 3
    before = (out / "records.jsonl").read_bytes() if (out / "records.jsonl").exists() else b""
    kept = read(out).cases if before else []
    for row in kept:
        assert row["dual_file"] is None or (out / row["dual_file"]).stat().st_size
    filler.unlink()
    assert invoke([*RUN, *MORE, "--out", str(out), "--resume"]) == 0
    assert (out / "records.jsonl").read_bytes().startswith(before)
    cases = [row["case"] for row in read(out).cases]
    assert len(cases) == len(set(cases)) == 6
    assert invoke(["verify", str(out)]) == 0
    clear(folder)


def fill(folder: Path, pages: int) -> Path:
    """A file that leaves room for so many pages."""
    filler = folder / "filler"
    room = shutil.disk_usage(folder).free - pages * PAGE
    filler.write_bytes(b"x" * room)
    return filler


def clear(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
