"""A case as a run would record it, and a display that shows nothing of a run."""

from __future__ import annotations

from typing import Any

from harness.case import Case
from harness.records import CaseRecord


def case_record(case: str = "c", **changes: Any) -> CaseRecord:
    """A solved case; `changes` replaces fields."""
    fields = {
        "suite": "s",
        "instance": "i",
        "spec": "unit:sources=1,destinations=1,degree=1,seed=0",
        "spec_hash": "h",
        "family": "unit",
        "sources": 1,
        "destinations": 1,
        "edges": 1,
        "cells": 1,
        "solver": "x",
        "solver_version": "1",
        "settings": {"tolerance": 1e-4, "device": "cpu", "threads": 1, "options": {}},
        "repeat": 0,
        "status": "solved",
    }
    return CaseRecord(case=case, **(fields | changes))


class Silent:
    """A display of a run, for tests that look at its records alone."""

    def begin(self, case: Case) -> None: ...
    def tick(self, step: str) -> None: ...
    def leave_out(self) -> None: ...
    def end(self, record: CaseRecord) -> None: ...
