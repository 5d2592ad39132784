"""Whatever order of copies and passes streams and events allow, the numbers are the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from instances import generate, parse_spec
from solvers.engine.cuda_blocks import FromHost
from solvers.engine.layout_builder import build_layout
from solvers.engine.storage import HostStorage


@dataclass(eq=False)
class Ticket:
    done: bool = False


@dataclass(eq=False)
class LateStream:
    """Its work in order: something to do, or a ticket to wait for."""

    work: deque[Ticket | Callable[[], Any]] = field(default_factory=deque)

    def ready(self) -> bool:
        return bool(self.work) and (not isinstance(self.work[0], Ticket) or self.work[0].done)

    def step(self) -> None:
        head = self.work.popleft()
        if not isinstance(head, Ticket):
            head()


class LateEvent:
    """As in CUDA: what waits, waits for the last record before its call, and for nothing without one."""

    def __init__(self) -> None:
        self._last = Ticket(done=True)

    def record(self, stream: LateStream) -> None:
        self._last = ticket = Ticket()
        stream.work.append(lambda: setattr(ticket, "done", True))

    def wait(self, stream: LateStream) -> None:
        stream.work.append(self._last)


class LateDevice(TorchFunctionMode):
    """Does nothing when it is told to, and everything in `run`, in any order that the streams allow."""

    def __init__(self) -> None:
        super().__init__()
        self.current = LateStream()
        self.streams = [self.current]

    def stream_made(self) -> LateStream:
        self.streams.append(LateStream())
        return self.streams[-1]

    @contextmanager
    def on(self, stream: LateStream) -> Iterator[None]:
        before, self.current = self.current, stream
        yield
        self.current = before

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = dict(kwargs or {})
        if func is torch.Tensor.copy_ and given.pop("non_blocking", False):
            self.current.work.append(lambda: func(*args, **given))
            return args[0]
        return func(*args, **given)

    def run(self, rng: np.random.Generator) -> None:
        favourite = self.streams[rng.integers(len(self.streams))]  # one that runs as far ahead as it can
        while any(stream.work for stream in self.streams):
            able = [stream for stream in self.streams if stream.ready()]
            (favourite if favourite in able else able[rng.integers(len(able))]).step()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> LateDevice:
    made = LateDevice()
    for name, value in (
        ("Stream", made.stream_made),
        ("Event", LateEvent),
        ("stream", made.on),
        ("current_stream", lambda _: made.current),
    ):
        monkeypatch.setattr(torch.cpu, name, value)
    return made


@pytest.mark.parametrize("cells", [1 << 20, 600, 350, 64])
@pytest.mark.parametrize("seed", range(6))
def test_copies_never_overtake_what_they_depend_on(device: LateDevice, cells: int, seed: int) -> None:
    lp = generate(parse_spec("dualip:sources=400,destinations=7,degree=3,seed=3"))
    storage = HostStorage(pinned=False, cells=cells)
    layout = build_layout(lp, "float64", storage=storage, one_band=True)
    blocks, total = FromHost(layout, "cpu", storage), torch.zeros(3, dtype=torch.float64)
    x, anchor = blocks.zeros(), blocks.zeros()

    def launch(block: Any, number: int, written: tuple[int, ...]) -> None:
        a, primal = block.arrays[-2], block.primal

        def work() -> None:
            total[number] += (a * primal[0] + primal[1]).sum()
            for place in written:
                primal[place].mul_(0.5).add_(a + number + place)

        device.current.work.append(work)

    passes: list[tuple[int, ...]] = [(0, 1), (), (0,)]
    with device:
        for number, written in enumerate(passes):
            for block in blocks.blocks((x, anchor), written):
                launch(block, number, written)
        device.run(np.random.default_rng(seed))

    a, expected = layout.a, [np.zeros(layout.cells), np.zeros(layout.cells)]
    for number, written in enumerate(passes):
        assert total[number] == pytest.approx((a * expected[0] + expected[1]).sum(), rel=1e-12)
        for place in written:
            expected[place] = 0.5 * expected[place] + (a + number + place)
    np.testing.assert_array_equal(x.numpy(), expected[0])
    np.testing.assert_array_equal(anchor.numpy(), expected[1])
