"""Packs of others: what `submit` writes is taken once derived again; whatever was tampered with is refused."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.cli import invoke
from harness.folder import open_folder
from harness.runner import run_suite
from harness.suite_file import parse_suite
from harness.trust.collect import RefusedError, collect
from harness.trust.pack import MANIFEST, write_pack
from reports.load import load
from tests.support.records import Silent

SUITE = """
instances = ["unit:sources=60,destinations=5,degree=3,seed=1"]
solvers = ["scipy-highs-ds", "ortools-glop"]
tolerances = [1e-4]
threads = 1
"""
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "mine"
    chosen = parse_suite("mine", SUITE.encode())
    run_suite(chosen, open_folder(chosen, path, resume=False), Silent(), in_process=True, keep_x=True)
    return path


@pytest.fixture(scope="module")
def pack(finished: Path) -> Path:
    write_pack(finished, finished.with_name("mine.dualbench.tar.gz"))
    return finished.with_name("mine.dualbench.tar.gz")


def members(pack: Path) -> Members:
    with tarfile.open(pack) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]  # plain files


def packed(path: Path, content: Members, *special: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for member in special:
            tar.addfile(member)
    return path


def told(content: Members, **changes: Any) -> Members:
    """With a manifest that says the truth about the members, and `changes` of it."""
    import hashlib

    files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in content.items()
        if name != MANIFEST
    }
    manifest = json.loads(content[MANIFEST]) | {"files": files} | changes
    return {MANIFEST: json.dumps(manifest).encode(), **{k: v for k, v in content.items() if k != MANIFEST}}


def test_a_run_goes_into_one_file_and_comes_out_as_the_same_records(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.tar.gz"
    assert invoke(["submit", str(finished), "--out", str(file)]) == 0
    assert invoke(["collect", str(file), str(file), "--out", str(tmp_path / "all")]) == 0
    out = capsys.readouterr().out
    assert "2 of 2 rows derived again" in out
    assert "is there already" in out
    (folder,) = (tmp_path / "all").iterdir()
    assert folder.name.startswith("mine-")
    for name in ("records.jsonl", "suite.toml"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes()
    assert len(list(folder.glob("duals/*.npy"))) == len(list(folder.glob("x/*.npy"))) == 2
    assert invoke(["verify", str(folder)]) == 0


def test_a_pack_says_which_suite_and_method_it_is_of(pack: Path, finished: Path) -> None:
    manifest = json.loads(members(pack)[MANIFEST])
    assert manifest["suite"] == "mine"
    assert manifest["method"] == records.read(finished).runs[0]["method"]
    assert (finished / "suite.toml").read_text() == SUITE


def test_packs_of_two_machines_lie_side_by_side_and_stay_apart_on_the_page(
    pack: Path, finished: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(finished, other)
    text = (other / "records.jsonl").read_text()
    cores = f'"cores":{records.read(finished).environments[0]["cores"]},'
    identity = records.read(finished).environments[0]["id"]
    assert cores in text
    (other / "records.jsonl").write_text(text.replace(cores, '"cores":999,').replace(identity, "another"))
    write_pack(other, tmp_path / "b.tar.gz")
    taken = [collect(one, tmp_path / "all") for one in (pack, tmp_path / "b.tar.gz")]
    cases = load([one.folder for one in taken]).cases
    assert set(cases["machine"]) == {"A", "B"}


def edited(content: Members, old: bytes, new: bytes) -> Members:
    assert old in content["records.jsonl"]
    return {**content, "records.jsonl": content["records.jsonl"].replace(old, new)}


def first_dual(content: Members) -> str:
    return next(name for name in content if name.startswith("duals/"))


def without(content: Members, name: str) -> Members:
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (lambda c: edited(c, b'"status":"solved"', b'"status":"failed"'), "^.records.jsonl. is not"),
        (lambda c: told(edited(c, b'"status":"solved"', b'"status":"inaccurate"')), "differs"),
        (lambda c: told(edited(c, b'"dual_bound":-', b'"dual_bound":-1')), "differs"),
        (lambda c: told({**c, first_dual(c): c[first_dual(c)][:-8] + b"\0" * 8}), "differs|cannot be read"),
        (lambda c: without(c, first_dual(c)), "is in its manifest and not in the pack"),
        (lambda c: told(without(c, first_dual(c))), "missing"),
        (lambda c: {**c, "extra.py": b"import os"}, "'extra.py' is not in its manifest"),
        (lambda c: told({**c, "extra.py": b"import os"}), "'extra.py' is no file of a run"),
        (lambda c: told({**c, "../outside.npy": b"x"}), "'../outside.npy' is no file of a run"),
        (lambda c: told({**c, "/etc/passwd": b"x"}), "'/etc/passwd' is no file of a run"),
        (lambda c: told({**c, "duals/../../x.npy": b"x"}), "is no file of a run"),
        (lambda c: told(c, format=2), "its format is 2"),
        (lambda c: told(c, files=[]), "does not begin with manifest.json"),
        (lambda c: told(c, files={"records.jsonl": {"bytes": 1 << 60, "sha256": ""}}), "more than 4 GiB"),
        (lambda c: told(c, files={"records.jsonl": {"bytes": "many"}}), "gives no size"),
        (lambda c: {MANIFEST: b"{", **without(c, MANIFEST)}, "no whole pack"),
        (lambda c: without(c, MANIFEST), "no whole pack|does not begin with"),
        (lambda _: {}, "it is empty|no whole pack"),
        (lambda c: told(edited(c, b"unit:sources=60", b"parquet:path=60")), "names a file of its sender"),
        (lambda c: told(edited(c, b'{"schema"', b'no row\n{"schema"')), "lines that are no rows"),
    ],
)
def test_what_was_tampered_with_is_refused_and_leaves_nothing(
    tamper: Callable[[Members], Members], reason: str, pack: Path, tmp_path: Path
) -> None:
    file = packed(tmp_path / "bad.tar.gz", tamper(members(pack)))
    with pytest.raises(RefusedError, match=reason):
        collect(file, tmp_path / "all")
    assert list((tmp_path / "all").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "bad.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_folders_and_devices_are_refused(kind: bytes, pack: Path, tmp_path: Path) -> None:
    member = tarfile.TarInfo("duals/0123456789abcdef.npy")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(RefusedError, match="plain files alone"):
        collect(packed(tmp_path / "bad.tar.gz", members(pack), member), tmp_path / "all")


def test_a_member_that_comes_twice_and_a_file_that_was_cut_are_refused(pack: Path, tmp_path: Path) -> None:
    content = members(pack)
    twice = tarfile.TarInfo("records.jsonl")
    with pytest.raises(RefusedError, match="comes twice"):
        collect(packed(tmp_path / "bad.tar.gz", content, twice), tmp_path / "all")
    (tmp_path / "cut.tar.gz").write_bytes(pack.read_bytes()[:-100])
    with pytest.raises(RefusedError, match="no whole pack"):
        collect(tmp_path / "cut.tar.gz", tmp_path / "all")
    (tmp_path / "text.tar.gz").write_bytes(gzip.compress(b"not a tar"))
    with pytest.raises(RefusedError, match="no whole pack"):
        collect(tmp_path / "text.tar.gz", tmp_path / "all")


def test_one_refused_pack_leaves_the_others(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.tar.gz"
    assert invoke(["collect", str(missing), str(pack), "--out", str(tmp_path / "all")]) == 1
    out = capsys.readouterr().out
    assert "refused" in out
    assert "taken" in out


def test_a_folder_that_is_no_run_is_not_packed(finished: Path, tmp_path: Path) -> None:
    assert invoke(["submit", str(tmp_path)]) == 2
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    next(copy.glob("duals/*.npy")).unlink()
    assert invoke(["submit", str(copy)]) == 2
    assert not (tmp_path / "copy.dualbench.tar.gz").exists()
