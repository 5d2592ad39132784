"""The families of rows beyond the first in plain PyTorch, for the reference kernel: one list of all their entries."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from solvers.engine.arrays import RaggedEntries
from solvers.engine.kernel import Tensor
from solvers.engine.layout import Layout
from solvers.engine.layout_families import Entries


class EntryList(NamedTuple):
    """The entries of all further families, N in all."""

    cell: Tensor
    """int64[N]"""
    row: Tensor
    """int64[N]: counted through the rows of all families."""
    a: Tensor
    """value[N]"""


def entry_list(layout: Layout, device: str) -> EntryList | None:
    """None where the layout has the short form."""
    import torch

    if layout.more is None:
        return None
    none = np.zeros(0, dtype=np.int64)
    families = [(none, none, layout.a[:0]), *(_listed(family, layout.cells, layout.a.dtype) for family in layout.more)]
    return EntryList(*(torch.from_numpy(np.concatenate(column)).to(device) for column in zip(*families, strict=True)))


def _listed(family: Entries, cells: int, dtype: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Cell, row and coefficient of each entry of a family."""
    cell = np.arange(cells)
    if isinstance(family, RaggedEntries):
        cell = np.repeat(cell, np.diff(family.start))
    row = np.zeros(cell.size, dtype=np.int64) if family.index is None else family.index.astype(np.int64)
    a = np.full(cell.size, family.coefficient, dtype=dtype) if family.a is None else family.a
    return cell, row + family.first_row, a
