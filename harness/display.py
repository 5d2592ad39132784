"""What a run shows while it goes on: a live line on a terminal, and one line for each finished case."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.highlighter import ReprHighlighter
from rich.live import Live
from rich.text import Text

from harness.accuracy import accuracy
from harness.case import Case
from harness.numbers import measured, number, power
from harness.records import CaseRecord
from harness.steps import Step

#: Characters of a line that is still searched for numbers and paths.
_LONGEST_COLOURED = 1000


def wide_console() -> Console:
    """A console for tables: the terminal as it is, and wide enough for every column where there is none.

    Names come from records and files: no text of theirs is taken for markup.
    """
    console = _Console(markup=False, emoji=False, highlighter=_ShortLines())
    if console.is_terminal:
        return console
    return _Console(markup=False, emoji=False, highlighter=_ShortLines(), width=max(console.width, 160))


class _ShortLines(ReprHighlighter):
    """Colours numbers in lines of ordinary length: rich takes 10 s for a name of 20,000 characters, 67 s for 50,000."""

    def highlight(self, text: Text) -> None:
        if len(text) <= _LONGEST_COLOURED:
            super().highlight(text)


class _Console(Console):
    """rich ends the process where nobody reads; that is for the command line to decide."""

    def on_broken_pipe(self) -> None:
        raise


class LiveDisplay:
    """The case, its step and elapsed time, and what remains; a line stays behind for every finished case."""

    def __init__(self, cases: Sequence[Case], console: Console) -> None:
        self._console = console
        self._total = len(cases)
        self._done = 0
        self._left = [case.settings.time_limit or 0.0 for case in cases]
        self._case: Case | None = None
        self._since = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None

    def __enter__(self) -> LiveDisplay:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, case: Case) -> None:
        self._case = case
        self._since = time.monotonic()
        self.tick(Step.START)

    def tick(self, step: Step) -> None:
        if self._live is None or self._case is None:
            return
        elapsed = time.monotonic() - self._since
        remaining = sum(self._left[self._done :])
        title = f"{self._case.instance}  {self._case.solver}  {power(self._case.settings.tolerance)}"
        self._live.update(
            Text.assemble(
                (f" {self._done + 1}/{self._total} ", "bold"),
                (title, "cyan"),
                f"  {step} {elapsed:6.1f} s",
                (f"   {self._total - self._done} to go, at most {remaining / 60:.0f} min of runs", "dim"),
            )
        )

    def leave_out(self) -> None:
        """A repeat that is not needed."""
        del self._left[self._done]
        self._total -= 1

    def end(self, record: CaseRecord) -> None:
        self._done += 1
        self._console.print(_line(record, self._done, self._total), soft_wrap=True)


def _line(record: CaseRecord, done: int, total: int) -> Text:
    gap = accuracy(record.certificate)
    colour = {"solved": "green", "skipped": "dim"}.get(record.status, "yellow")
    return Text.assemble(
        f"{done:4}/{total}  {record.instance:<22} {record.variant or record.solver:<20} ",
        f"{power(record.settings['tolerance']):<6}",
        (f"{record.status:<16}", colour),
        f"run {number(record.seconds.run):>7} s   gap {measured(gap):<8}",
        (f"   {record.reason}" if record.reason else "", "dim"),
        (f"   disturbed: {record.disturbed}" if record.disturbed else "", "yellow"),
    )
