"""A case as a run would record it, for the tests of what reads records."""

from __future__ import annotations

from typing import Any

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
