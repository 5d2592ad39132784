"""matplotlib as it is delivered: what the user has set for figures of their own does not reach a report."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

_BACKEND = "MPLBACKEND"
_FILE = "MATPLOTLIBRC"
#: Left as they are: these choose windows and toolkits, which a figure that is written to a file never asks for.
_WINDOWS = frozenset({"backend", "backend_fallback", "interactive", "toolbar"})


def load() -> ModuleType:
    """matplotlib, imported as if the user's backend and file of settings were absent: either can stop the import.

    A notebook's kernel hands its backend to the commands started from it, and they may run in another environment.
    """
    if "matplotlib" in sys.modules:
        return sys.modules["matplotlib"]
    with _delivered_settings():
        import matplotlib as mpl
    _restore_settings(mpl)
    return mpl


@contextmanager
def look(chosen: Mapping[str, Any]) -> Iterator[None]:
    """Everything drawn inside has matplotlib's own defaults and, above them, `chosen`; as before on leaving."""
    mpl = load()
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if name not in _WINDOWS}
    with mpl.rc_context():
        with warnings.catch_warnings():  # for names among its defaults that it gives up
            warnings.simplefilter("ignore", mpl.MatplotlibDeprecationWarning)
            mpl.rcParams.update({**defaults, **chosen})
        yield


@contextmanager
def _delivered_settings() -> Iterator[None]:
    """An environment in which matplotlib reads the file of settings that lies beside its code."""
    before = {name: os.environ.pop(name, None) for name in (_BACKEND, _FILE)}
    spec = find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        os.environ[_FILE] = str(Path(spec.origin).parent / "mpl-data" / "matplotlibrc")
    try:
        yield
    finally:
        os.environ.pop(_FILE, None)
        os.environ.update({name: value for name, value in before.items() if value is not None})


def _restore_settings(mpl: ModuleType) -> None:
    """What else this process draws has the user's settings, as far as matplotlib takes them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # it reports faults of the user's file line by line
    try:
        with contextlib.suppress(ValueError, OSError):
            chosen_by_user = mpl.rc_params()
            mpl.rcParams.update({name: value for name, value in chosen_by_user.items() if name != "backend"})
            chosen = os.environ.get(_BACKEND) or chosen_by_user["backend"]
            if isinstance(chosen, str):  # else matplotlib chooses, where somebody opens a window
                mpl.rcParams["backend"] = chosen
    finally:
        logging.disable(before)
