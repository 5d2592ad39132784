"""Threads do not survive a fork: refuse to start loops in a child that would wait for lost threads for ever."""

from __future__ import annotations

import os

from instances import InputError

_started = False
_lost = False


class ForkedError(InputError):
    """The process was forked from one that had started the threads of compiled loops."""


def require_threads() -> None:
    """Called before a loop may start threads. Raises ForkedError where they were started before this process was."""
    global _started
    if _lost:
        raise ForkedError(
            "this process was forked after its parent had solved with threads, which do not survive a fork: "
            "start it with multiprocessing.get_context('spawn')"
        )
    _started = True


def _in_child() -> None:
    global _lost
    _lost = _lost or _started


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
