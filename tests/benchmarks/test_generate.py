"""Edges a second of generating the family `dualip`, 2.5e6 and 1e7 edges."""

from __future__ import annotations

from typing import Any

import pytest

from instances import MatchingLP, generate, named_instances, parse_spec


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["ladder-250k", "ladder-1m"])
def test_generate(benchmark: Any, name: str, threads: int) -> None:
    spec = parse_spec(named_instances()[name])
    lp: MatchingLP = benchmark.pedantic(
        generate, args=(spec,), kwargs={"threads": threads}, rounds=5, iterations=1, warmup_rounds=1
    )
    benchmark.extra_info.update(
        spec=spec.text, threads=threads, edges=lp.edges, edges_per_second=lp.edges / benchmark.stats.stats.min
    )
    assert lp.edges >= 2.4e6
