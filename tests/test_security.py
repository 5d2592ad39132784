"""Data stays data: nothing that is read is ever executed, and no name in it leads out of its folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("instances", "solvers", "harness", "reports")
#: Modules that turn bytes into objects by running what stands in them.
UNPICKLE = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
#: Calls that run a text, start a shell, or unpickle what arrives from the network.
FORBIDDEN = {"eval", "exec", "system", "popen", "getoutput", "read_pickle", "to_pickle"} | {
    f"{verb}_object{kind}" for verb in ("all_gather", "gather", "broadcast", "send", "recv") for kind in ("", "_list")
}
SAFE_WITH = {
    "np.load": ("allow_pickle", False),
    "np.save": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}


def calls(file: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))


def modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_that_is_read_is_executed(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        assert not UNPICKLE & set(modules(file)), file
        for call in calls(file):
            where, name = f"{file}:{call.lineno}", ast.unparse(call.func)
            given = {word.arg: ast.unparse(word.value) for word in call.keywords}
            assert not (name.rpartition(".")[2] in FORBIDDEN and not name.startswith("re.")), where
            assert given.get("shell", "False") == "False", where
            if name in SAFE_WITH:
                keyword, safe = SAFE_WITH[name]
                assert given.get(keyword) == str(safe), f"{where}: {name} needs {keyword}={safe}"


def test_the_check_itself_finds_what_is_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad").mkdir()
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    for text in ("import pickle", "eval('1')", "run(x, shell=True)", "np.load(f)", "torch.load(f, weights_only=False)"):
        (tmp_path / "bad" / "file.py").write_text(text)
        with pytest.raises(AssertionError):
            test_nothing_that_is_read_is_executed("bad")
