"""Whose shared memory is whose: what a process of the case has mapped or open, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.resource_tracker import unregister
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import pytest

from harness.isolation.segments import Segments

FOLDER = Path("/dev/shm")  # noqa: S108 - where POSIX has it
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no POSIX shared memory as files here")


@pytest.fixture
def segments() -> Segments:
    return Segments()


@pytest.fixture
def held(segments: Segments) -> Iterator[SharedMemory]:  # noqa: ARG001 - made after it
    """A segment that this process has made since, and maps."""
    segment = SharedMemory(create=True, size=4096)
    yield segment
    segment.close()
    segment.unlink()


@pytest.fixture
def closed(segments: Segments) -> Iterator[Path]:  # noqa: ARG001 - made after it
    """A segment that was made since, which no process has open."""
    file = FOLDER / f"dualbench-test-{os.getpid()}"
    file.write_text("of another program")
    yield file
    file.unlink()


def test_a_new_segment_is_noticed_before_anybody_looks_whose_it_is(segments: Segments, held: SharedMemory) -> None:
    assert held.size >= 4096
    assert segments.appeared


def test_a_segment_that_a_process_of_the_case_maps_is_removed(segments: Segments) -> None:
    segment = SharedMemory(create=True, size=4096)
    segments.sample([os.getpid()])
    assert segments.remove() == [segment.name]
    assert not (FOLDER / segment.name).exists()
    segment.close()
    unregister(f"/{segment.name}", "shared_memory")


def test_a_segment_of_another_process_stays(segments: Segments, held: SharedMemory) -> None:
    segments.sample([os.getppid()])
    assert segments.remove() == []
    assert (FOLDER / held.name).exists()


def test_a_segment_that_nobody_has_open_stays(segments: Segments, closed: Path) -> None:
    segments.sample([os.getpid()])
    assert segments.remove() == []
    assert closed.exists()
