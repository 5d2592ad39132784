"""What a row says of its content: the hash of x, and whether a recorded case still stands."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.case import Case
from harness.records import as_plain
from instances import digest
from instances.mapped import release_pages

_HASHED = 1 << 20  # entries at a time


def array_hash(array: npt.NDArray[Any] | None) -> str | None:
    """SHA-256 over dtype, shape and bytes of an array of numbers; None for anything else."""
    if array is None or array.dtype.kind not in "fiub":
        return None
    found = hashlib.sha256(f"{array.dtype.str}{list(array.shape)}".encode())
    flat = array.reshape(-1)
    for start in range(0, flat.size, _HASHED):
        found.update(np.ascontiguousarray(flat[start : start + _HASHED]).data)
        release_pages(flat, start, min(start + _HASHED, flat.size))
    return found.hexdigest()


def changed(row: Mapping[str, Any], case: Case) -> str:
    """Why `row`, which has the name of `case`, does not stand for it any more; "" where it does.

    What an older version did not record counts as the same.
    """
    if row["spec_hash"] != digest(case.parsed):
        return f"the data of {case.instance} have changed"
    recorded = row.get("adapter_hash")
    if recorded is not None and recorded != case.card.adapter_hash:
        return f"the adapter {case.solver} has changed"
    asked = as_plain({name: getattr(case.settings, name) for name in type(case.settings).__dataclass_fields__})
    settings = row["settings"]
    other = [name for name in settings if name in asked and settings[name] != asked[name]]
    return f"{', '.join(other)} of {case.solver} is another" if other else ""
