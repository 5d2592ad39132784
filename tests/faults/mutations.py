"""Mutations of texts, the same for the same seed: bytes, tokens, numbers at the edge of every range, whole parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

NUMBERS = (
    "0", "-1", "1", "2", "-0", "1e18", "10**18", "999999999999999999999", "2147483648", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "1e308", "1e309", "-1e309", "nan", "inf", "-inf", "NaN", "Infinity",
    "0.5", "1e-320", "1_000", "0x10", "١٢", "1,5", "true", "null", "1" + "0" * 400, "1e400", "0.1e-400", "+5", "5.",
)  # fmt: skip
TEXTS = (
    "", " ", "a", "'", '"', "\\", "\n", "\r", "\t", "\0", "\x1b[2J", "é", "名", "\U0001f600", "\u202e", "\ud800",
    "../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "%s%n", "{}", "{0.__class__}", "[bold]", "[/]",
    "$(id)", "`id`", "; id", "<script>", "<b>", "-h", "--", "--out", "=", ":", ",", ";", "|", "x" * 5000, "[" * 3000,
    "{" * 3000, "__import__('os')", "None", "unit-5k", "unit", "movielens", "parquet", "blockpdhg", "cuda", "cpu",
    "float16", "solved", "crashed", "case", "scaling", "strong", "weak", "\ufeff",
)  # fmt: skip
VALUES = (
    None, True, False, 0, 1, -1, 2, 10**18, 2**63, 10**400, 0.0, -1.5, 1e-320, 1e308, -1e308, 1e-4, [], {}, [[]],
    [None], {"a": 1}, [1, 2], ["a"], {"run": None}, {"certified_gap": -1.0}, {"tolerance": 0.5}, *TEXTS,
)  # fmt: skip
_TOKEN = re.compile(r"[+-]?\d[\w.+-]*|\w+|\s+|[^\w\s]")


def mutated(samples: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """`count` texts, each a sample after one to four mutations."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        text = samples[int(rng.integers(len(samples)))]
        for _ in range(int(rng.integers(1, 5))):
            text = _mutate(text, samples, rng)
        yield text


def mutated_rows(lines: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """`count` lines of records: one in four a mutated text, the others rows in which values were changed or removed."""
    rng = np.random.default_rng(seed)
    texts = mutated(lines, count, seed)
    for _ in range(count):
        if rng.random() < 0.25:
            yield next(texts)
            continue
        row = json.loads(_one(lines, rng))
        for _ in range(int(rng.integers(1, 4))):
            _change(row, rng)
        yield json.dumps(row)


def _change(row: dict[str, Any], rng: np.random.Generator) -> None:
    """Another value somewhere in `row`, half of the time at the top; one change in five removes it."""
    place: Any = row
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = keys[int(rng.integers(len(keys)))]
        if not isinstance(place[key], (dict, list)) or rng.random() < 0.3:
            break
        place = place[key]
    if rng.random() < 0.2:
        del place[key]
    else:
        place[key] = VALUES[int(rng.integers(len(VALUES)))]


def _mutate(text: str, samples: Sequence[str], rng: np.random.Generator) -> str:
    tokens = _TOKEN.findall(text) or [""]
    place = int(rng.integers(len(tokens)))
    kind = int(rng.integers(9))
    if kind == 0:  # another number
        numbers = [k for k, token in enumerate(tokens) if token[:1].isdigit()] or [place]
        tokens[numbers[int(rng.integers(len(numbers)))]] = _one(NUMBERS, rng)
    elif kind == 1:
        tokens[place] = _one(TEXTS, rng)
    elif kind == 2:
        tokens.insert(place, _one(TEXTS, rng))
    elif kind == 3:
        del tokens[place]
    elif kind == 4:  # a part twice
        end = place + int(rng.integers(1, 8))
        tokens[place:place] = tokens[place:end]
    elif kind == 5:  # a part gone
        del tokens[place : place + int(rng.integers(1, 20))]
    elif kind == 6:  # two texts crossed
        other = _TOKEN.findall(_one(samples, rng)) or [""]
        tokens = tokens[:place] + other[int(rng.integers(len(other))) :]
    elif kind == 7:  # two tokens change places
        other_place = int(rng.integers(len(tokens)))
        tokens[place], tokens[other_place] = tokens[other_place], tokens[place]
    else:  # one character
        word = tokens[place]
        at = int(rng.integers(len(word) + 1))
        tokens[place] = word[:at] + chr(int(rng.integers(1, 0x3000))) + word[at + 1 :]
    return "".join(tokens)


def _one(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
