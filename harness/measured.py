"""The records of a command that measures: rows that are on the disk one by one, so that a killed command goes on."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from harness import cards, records
from harness.arrays import array_hash
from harness.disk import written
from harness.environment import environment
from harness.folder import LOCK, locked, save_dual, x_name
from harness.measured_row import MeasuredRecord
from harness.method import method_version
from harness.recording import utc_now
from instances import InputError, MatchingLP, Spec, content_hash, digest
from solvers import Settings

_LARGEST_BYTE = 127


class Measurements:
    """The rows of a folder, of a kind "whole" or "serving"."""

    def __init__(self, folder: Path, environment_id: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self._folder = folder
        self._rows = rows
        self.environment = environment_id

    def holds(self, case: str, spec: Spec) -> bool:
        """Whether a row of this name is there, of the data that `spec` names today."""
        row = self._rows.get(case)
        return row is not None and row["spec_hash"] == digest(spec)

    def add(self, record: MeasuredRecord) -> None:
        """Append a row; it is on the disk when this returns."""
        row = {field.name: getattr(record, field.name) for field in fields(record)}
        records.append(self._folder / records.RECORDS_FILE, row)

    def keep_dual(self, key: str, dual: Any) -> str | None:
        """Write a dual beside the rows; its name relative to the folder."""
        return save_dual(self._folder, key, dual)

    def keep_whole_x(self, key: str, x: Any) -> dict[str, Any]:
        """Write x of whole numbers beside the rows, a byte each where they fit; the fields of a row that name it."""
        small = x.astype(np.int8) if np.abs(x).max(initial=0.0) <= _LARGEST_BYTE else x
        name = x_name(key)
        with written(self._folder / name) as file:
            np.save(file, small, allow_pickle=False)
        return {"x_file": name, "x_hash": array_hash(small)}


@contextmanager
def measuring(out: Path, kind: str, asked: Mapping[str, Any], *, resume: bool) -> Iterator[Measurements]:
    """The folder `out`, held by this process alone, for rows of `kind` by a command that was asked this.

    Raises InputError where it holds anything else, or such rows while `resume` is not asked for.
    """
    with locked(out):
        others = [path.name for path in out.iterdir() if path.name != LOCK]
        name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        found = records.read(out) if records.RECORDS_FILE in others else None
        if found is None and others:
            raise InputError(f"{out} is not an empty folder: choose another --out")
        if found is not None:
            if any((run["suite"], run.get("digest")) != (kind, name) for run in found.runs):
                raise InputError(f"{out} holds records of another command: choose another --out")
            if not resume:
                raise InputError(f"{out} already holds records of this command: add --resume, or choose another --out")
        place = environment()
        run = {
            "kind": "run",
            "suite": kind,
            "digest": name,
            "schema": records.SCHEMA,
            "method": method_version(),
            "environment": place["id"],
            "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "time": utc_now(),
        }
        records.append(out / records.RECORDS_FILE, run)
        records.append(out / records.RECORDS_FILE, place)
        rows = [] if found is None else [*found.whole, *found.serving]
        yield Measurements(out, place["id"], {row["case"]: row for row in rows})


def instance_fields(name: str, spec: Spec, lp: MatchingLP) -> dict[str, Any]:
    """The fields of a row that say what was solved."""
    return {
        "instance": name,
        "spec": spec.text,
        "spec_hash": digest(spec),
        "content_hash": content_hash(lp),
        "sources": lp.sources,
        "destinations": lp.destinations,
        "edges": lp.edges,
    }


def solver_fields(solver: str, settings: Settings) -> dict[str, Any]:
    """The fields of a row that say who solved it."""
    card = cards.card(solver)
    return {"solver": card.id, "solver_version": card.availability.version, "settings": asdict(settings)}
