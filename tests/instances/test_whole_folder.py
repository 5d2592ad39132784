"""Folders that are whole or not there, also while a new one takes the place of an old one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from instances import whole_folder
from instances.whole_folder import remove_left_behind, written_folder


def fill(folder: Path, text: str) -> None:
    for name in ("a", "b"):
        (folder / name).write_text(text)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    with written_folder(folder) as partial:
        fill(partial, "old")
    return folder


def contents(folder: Path) -> list[str]:
    return [(folder / name).read_text() for name in ("a", "b")]


def test_a_new_folder_takes_the_place_of_an_old_one_and_nothing_else_stays(old: Path) -> None:
    with written_folder(old, replace=True) as partial:
        fill(partial, "new")
        assert contents(old) == ["old", "old"]
    assert contents(old) == ["new", "new"]
    assert list(old.parent.iterdir()) == [old]


def test_where_the_system_cannot_swap_two_names_the_result_is_the_same(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_folder, "_RENAME_EXCHANGE", 1 << 20)  # a flag that no kernel knows
    with written_folder(old, replace=True) as partial:
        fill(partial, "new")
    assert contents(old) == ["new", "new"]
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_the_old_folder_whole(old: Path, fault: type[BaseException]) -> None:
    def interrupted() -> None:
        with written_folder(old, replace=True) as partial:
            (partial / "a").write_text("new")
            raise fault

    with pytest.raises(fault):
        interrupted()
    assert contents(old) == ["old", "old"]
    assert list(old.parent.iterdir()) == [old]


def test_a_killed_process_leaves_the_old_folder_whole_and_what_it_left_is_removed_later(old: Path) -> None:
    program = (
        "import os, signal, pathlib, instances.whole_folder as w\n"
        f"with w.written_folder(pathlib.Path({str(old)!r}), replace=True) as partial:\n"
        "    (partial / 'a').write_text('new')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    (left,) = (path for path in old.parent.iterdir() if path != old)
    assert contents(old) == ["old", "old"]

    remove_left_behind(old)  # another machine may be writing there
    assert left.exists()
    os.utime(left, (0, 0))
    remove_left_behind(old)
    assert list(old.parent.iterdir()) == [old]
