"""The layout of this rank's sources for the device of a solve, with norms over all ranks. J destinations."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.engine.collectives import Communicator
from solvers.engine.layout import Layout
from solvers.engine.layout_builder import build_layout
from solvers.engine.storage import RAM, Storage
from solvers.settings import Settings


def make_layout(lp: MatchingLP, settings: Settings, storage: Storage = RAM) -> Layout:
    """The layout for the device of the settings."""
    return build_layout(lp, settings.dtype, storage=storage, one_band=settings.device != "cpu")


def reduce_norms(layout: Layout, group: Communicator) -> Layout:
    """The layout with norms and feasibility flags reduced over all ranks."""
    squares = group.sum(np.append(layout.row_norm, layout.cost_norm) ** 2)
    flags = group.max(np.array([float(layout.has_equality), float(layout.infeasible), float(not layout.exact)]))
    return dataclasses.replace(
        layout,
        row_norm=np.sqrt(squares[:-1]),
        cost_norm=float(np.sqrt(squares[-1])),
        has_equality=bool(flags[0]),
        infeasible=bool(flags[1]),
        exact=not flags[2],  # where the cells of one rank are rounded, all ranks prove on edges
    )


def inverse_row_norm(layout: Layout) -> npt.NDArray[np.float64]:
    """1 / ||A_j||_2 for each budget row, 1 for a row without edges."""
    used = layout.row_norm > 0
    return np.where(used, 1 / np.where(used, layout.row_norm, 1.0), 1.0)
