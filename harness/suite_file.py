"""Suite files: TOML that says which instances, solvers and tolerances to run, validated key by key.

description = "one sentence"
instances = ["movielens", "dualip:sources=100000,destinations=40,degree=10,seed=42"]   # names or specs
solvers = ["blockpdhg", "ortools-pdlp"]
tolerances = [1e-2, 1e-4]
time_limit = 20.0          # seconds of `run`, for every case
grace = 40.0               # seconds beyond it after which a case is ended; without it, half the limit and 30 s
memory_limit = "4GiB"      # for a case and all its processes
reference = true           # two fixed kernels at start, middle and end say whether the machine drifted; 10 s in all
threads = 2                # for every solver; without it, every CPU that affinity and quota leave
repeats = "auto"           # 5 runs below 10 s, 3 below a minute, 1 above; or a number, by default 1
[[solvers]]                # the last key of the list above, where solvers are tables: one solver under several names
id = "ortools-pdlp"        # or the path of a file
name = "pdlp-polish"       # without it, the id
iteration_limit = 5000
options = { feasibility_polishing = true }   # puts it into the division "tuned"; without, "default"
days = 3                   # solve every instance again on so many days, warm and cold (harness/recurring)
drifts = [0.01, 0.05]      # how much values and limits of generated instances change a day: a series each
stays = [1e-4, 1e-3]       # prices of leaving yesterday's x to try, for the solvers that take `stay`
[options.dualip]           # a solver's own options; of a file, by its path or by the id that it gives itself
gamma = 1e-3
[iteration_limits]
dualip = 1000
[machines]
price_per_hour = 0.25      # dollars, for the dollars to a gap; the machine that the suite runs on
[[exclude]]                # combinations left out, with the reason that the report shows
instance = "..."           # or a list: every one of it with every solver
solver = "..."             # or a list
reason = "..."
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from harness.suite import Exclude, Suite, SuiteError
from solvers.card import is_id
from solvers.registry import registry

_LARGEST = 2**63 - 1
#: Fields of Suite that are no keys of a file.
_NO_KEYS = ("name", "digest", "text", "variants", "anytime", "price_per_hour")
#: What the TOML of a key may hold, where that is not the type of the field of Suite.
_TYPES = {
    "time_limit": (int, float),
    "grace": (int, float),
    "repeats": (int, str),
    "options": dict,
    "iteration_limits": dict,
}


def suite_names() -> list[str]:
    return sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml"))


def load_suite(name: str) -> Suite:
    """A suite of this package by name, or one from a TOML file by path."""
    path = Path(name)
    if path.suffix.lower() == ".toml":
        if not path.is_file():
            raise SuiteError(f"no suite file at {name}")
        return parse_suite(path.stem, path.read_bytes())
    if name not in suite_names():
        raise SuiteError(f"unknown suite {name!r}: use one of {', '.join(suite_names())}, or a path to a .toml file")
    return parse_suite(name, (_folder() / f"{name}.toml").read_bytes())


def parse_suite(name: str, content: bytes) -> Suite:
    """Validated from TOML; SuiteError names the key that is wrong and the ones allowed."""
    try:
        text = content.decode("utf-8-sig")  # some editors begin a file with a mark
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number of too many digits, too deep
        raise SuiteError(f"suite {name} is not TOML: {error}") from error
    hints = {k: v for k, v in get_type_hints(Suite).items() if k not in _NO_KEYS}
    _check_keys(f"suite {name}", table, [*hints, "machines"])
    for key in ("instances", "solvers", "tolerances"):
        if key not in table:
            raise SuiteError(f"suite {name} lacks {key}: give a list")
    price = _price(name, table.pop("machines", {}))
    table = _with_variants(name, table)
    values = {key: _value(name, key, value) for key, value in table.items()}
    return Suite(name=name, digest=hashlib.sha256(content).hexdigest()[:16], text=text, price_per_hour=price, **values)


def _value(suite: str, key: str, value: Any) -> Any:
    """`value` checked and made immutable."""
    if key == "exclude":
        return tuple(one for entry in _list_of(suite, key, value, dict) for one in _excluded(suite, entry))
    if key == "variants" or (key == "reference" and isinstance(value, bool)):
        return value
    if key in ("instances", "solvers"):
        return tuple(_list_of(suite, key, value, str))
    if key in ("tolerances", "drifts", "stays"):
        return tuple(float(v) for v in _list_of(suite, key, value, (int, float)) if _fits(suite, key, v))
    expected: Any = _TYPES.get(key, get_type_hints(Suite)[key])
    if not isinstance(value, expected) or isinstance(value, bool):
        raise SuiteError(f"suite {suite}: {key}={value!r} has the wrong type")
    _fits(suite, key, value)
    if key == "iteration_limits" and not all(isinstance(v, int) and _fits(suite, key, v) for v in value.values()):
        raise SuiteError(f"suite {suite}: iteration_limits are whole numbers, one for each solver")
    if key == "options" and not all(isinstance(v, dict) for v in value.values()):
        raise SuiteError(f"suite {suite}: options are tables, one for each solver: [options.SOLVER]")
    return value


def _price(suite: str, machines: Any) -> float | None:
    """What [machines] says."""
    if not isinstance(machines, dict):
        raise SuiteError(f"suite {suite}: machines={machines!r}: expected a table with price_per_hour")
    _check_keys(f"suite {suite}, machines", machines, ("price_per_hour",))
    price = machines.get("price_per_hour")
    if price is not None and (isinstance(price, bool) or not isinstance(price, (int, float))):
        raise SuiteError(f"suite {suite}: price_per_hour={price!r}: expected dollars")
    return None if price is None or not _fits(suite, "price_per_hour", price) else float(price)


def _with_variants(suite: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with a name for every solver, and what tables of solvers say under the keys of Suite."""
    entries = _list_of(suite, "solvers", table["solvers"], (str, dict))
    named = [_entry(suite, entry) for entry in entries]
    values: dict[str, Any] = {**table, "solvers": [one["name"] for one in named]}
    values["variants"] = {one["name"]: one["id"] for one in named if one["name"] != one["id"]}
    for key, entry_key in (("options", "options"), ("iteration_limits", "iteration_limit")):
        of_entries = {one["name"]: one[entry_key] for one in named if entry_key in one}
        given = table.get(key, {})
        if not isinstance(given, dict):
            continue  # refused with the other keys
        if twice := sorted(set(of_entries) & set(given)):
            raise SuiteError(f"suite {suite}: {key} of {twice[0]} are given twice: in its table and in [{key}]")
        if of_entries:
            values[key] = {**given, **of_entries}
    return values


def _entry(suite: str, entry: Any) -> Mapping[str, Any]:
    """A solver as a table with its id and name."""
    if isinstance(entry, str):
        return {"id": entry, "name": entry}
    _check_keys(f"suite {suite}, solvers", entry, ("id", "name", "options", "iteration_limit"))
    if not isinstance(entry.get("id"), str):
        raise SuiteError(f"suite {suite}: a table of solvers lacks its id: say which solver it is")
    name = entry.get("name", entry["id"])
    if name != entry["id"] and (not is_id(name) or name in registry()):
        raise SuiteError(f"suite {suite}: name={name!r} of {entry['id']}: expected a word that is no solver's id")
    return {**entry, "name": name}


def _fits(suite: str, key: str, value: Any) -> bool:
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise SuiteError(f"suite {suite}: {key} is too large: at most 2^63 - 1")
    return True


def _list_of(suite: str, key: str, value: Any, kind: Any) -> Sequence[Any]:
    if not isinstance(value, list) or not all(isinstance(v, kind) and not isinstance(v, bool) for v in value):
        raise SuiteError(f"suite {suite}: {key}={value!r}: expected a list, see an existing suite")
    return value


def _excluded(suite: str, entry: Mapping[str, Any]) -> Iterator[Exclude]:
    """Every instance of an entry with every solver of it."""
    keys = [f.name for f in dataclasses.fields(Exclude)]
    _check_keys(f"suite {suite}, exclude", entry, keys)
    reason = entry.get("reason")
    if set(entry) != set(keys) or not isinstance(reason, str):
        raise _wrong_exclude(suite, keys)

    instances, solvers = (_texts(entry[key]) for key in ("instance", "solver"))
    if not instances or not solvers:
        raise _wrong_exclude(suite, keys)
    for instance, solver in itertools.product(instances, solvers):
        yield Exclude(instance=instance, solver=solver, reason=reason)


def _texts(value: Any) -> list[str]:
    """A text or a list of texts as a list; empty where it is neither."""
    listed = value if isinstance(value, list) else [value]
    return listed if all(isinstance(text, str) for text in listed) else []


def _wrong_exclude(suite: str, keys: Sequence[str]) -> SuiteError:
    return SuiteError(f"suite {suite}: exclude needs the texts {', '.join(keys)}, or lists of texts for the first two")


def _check_keys(where: str, table: Mapping[str, Any], allowed: Any) -> None:
    for key in table:
        if key not in allowed:
            raise SuiteError(f"{where}: unknown key {key!r}, allowed are {', '.join(allowed)}")


def _folder() -> Path:
    """Beside this file: by name, `harness` may be a folder of somebody else's project."""
    return Path(__file__).parent / "suites"
