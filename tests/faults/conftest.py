"""Faults made on purpose. DUALBENCH_CAMPAIGN=1 (`make faults`) tries as many as harness/METHOD.md states."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "harness" / "data" / "records-v1.jsonl"


@pytest.fixture(scope="session")
def times() -> Callable[[int, int], int]:
    """How often a fault is tried: seldom, or as often as the campaign asks for."""
    return lambda seldom, often: often if os.environ.get("DUALBENCH_CAMPAIGN") else seldom


@pytest.fixture
def sample() -> Path:
    """Records of schema 1 as they were written, all kinds of rows and several statuses."""
    return SAMPLE


@pytest.fixture
def command() -> Callable[..., subprocess.Popen[str]]:
    """Start `dualbench` in a process of its own; other keywords are Popen's."""

    def start(*arguments: str, **chosen: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **chosen,
        )  # fmt: skip

    return start
