"""The folder that decisions are written into: whole or not at all, and never over what is not ours."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.clock import Stopwatch
from harness.decisions.summary import FORMAT
from harness.decisions.words import in_words
from harness.disk import space_for
from instances import InputError
from instances.whole_folder import remove_left_behind, written_folder

DECISIONS = "decisions.parquet"
PRICES = "prices.parquet"
SUMMARY = "summary.json"
WORDS = "summary.md"
_FILES = {DECISIONS, PRICES, SUMMARY, WORDS}


def write_folder(out: Path, decisions: Any, prices: Any, summary: Mapping[str, Any], stopwatch: Stopwatch) -> None:
    """Write the four files as the folder `out`, in the place of what was written there before.

    decisions, prices: Arrow tables. stopwatch: started where making them began; its seconds go into the summary. Raises
    InputError where `check_out` does, NotWrittenError where the disk has no space; then `out` is as it was.
    """
    from pyarrow import parquet

    out = check_out(out)
    remove_left_behind(out)
    with space_for(out), written_folder(out, replace=True) as partial:
        parquet.write_table(decisions, partial / DECISIONS)
        parquet.write_table(prices, partial / PRICES)
        write_summary(partial, summary, stopwatch.lap())


def write_summary(folder: Path, summary: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Write both summaries, with the seconds that writing took, and return the one."""
    whole = {**summary, "seconds": {**summary["seconds"], "write": seconds}}
    (folder / SUMMARY).write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / WORDS).write_text(in_words(whole), encoding="utf-8")
    return whole


def check_out(out: Path) -> Path:
    """The absolute path of a folder that may be written: absent, empty, or written by `write_folder` before.

    Raises InputError for anything else.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 - resolve would follow a link that is to be refused
    if out.is_symlink():
        raise InputError(f"{out} is a symbolic link: give the folder itself as --out")
    if not out.exists():
        return out
    if not out.is_dir():
        raise InputError(f"{out} is not a folder: choose another --out")

    others = sorted(path.name for path in out.iterdir() if path.name not in _FILES or path.is_symlink())
    if others:
        raise InputError(f"{out} holds {others[0]}, which `dualbench solve` did not write: choose another --out")
    if any(out.iterdir()) and read_summary(out) is None:
        raise InputError(f"{out} holds files that `dualbench solve` did not write: choose another --out")
    return out


def check_writable(out: Path) -> None:
    """`check_out`, and try to make a folder beside `out`: InputError now, not after the problem was solved."""
    parent = check_out(out).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".dualbench-"):
            pass
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror or error}): choose another --out") from error


def read_summary(folder: Path) -> dict[str, Any] | None:
    """summary.json of the folder; None where it holds none of ours."""
    try:
        found = json.loads((folder / SUMMARY).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    return found
