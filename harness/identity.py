"""Whether a recorded case still stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.case import Case
from harness.records import as_plain
from instances import digest


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
