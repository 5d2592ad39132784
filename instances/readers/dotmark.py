"""Optimal transport between two grey-scale images of DOTmark: every source and every row is full.

    minimise sum cost_ij x_ij    subject to    sum_j x_ij = s_i for each pixel i of the first image,
                                               sum_i x_ij <= d_j for each pixel j of the second

Both images have the same sum, so that the rows force equality; no point has slack. Masses are grey values divided by
a power of two, so that their mean is near 1 and both sides still have exactly the same sum; the objective divided by
the sum of the masses is the transport cost of images scaled to sum 1.
J. Schrieber, D. Schuhmacher and C. Gottschlich, DOTmark: a benchmark for discrete optimal transport, IEEE Access, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from instances.errors import SpecError
from instances.matching import MatchingLP
from instances.polytopes.simplex import Simplex
from instances.readers._data import DataSpec, Sizes
from instances.rows import Rows
from instances.spec import require_whole

_COSTS = ("squared", "euclid")
#: Resolutions in which DOTmark comes; a coarser image is one of these with blocks of pixels summed.
_RESOLUTIONS = (32, 64, 128, 256, 512)


@dataclass(frozen=True, kw_only=True)
class DotmarkSpec(DataSpec):
    """Image `first` to image `second` of a pair such as 1001-1002, as size x size pixels."""

    scheme: ClassVar[str] = "dotmark"
    folder: ClassVar[str] = "dotmark32"

    pair: str = "1001-1002"
    size: int = 32
    cost: str = "squared"
    """Of a pair of pixels: squared or euclid distance, in pixels of this size."""

    def check(self) -> None:
        require_whole("size", self.size, least=1, most=_RESOLUTIONS[-1])
        if self.cost not in _COSTS:
            raise SpecError(f"dotmark:cost={self.cost}: use one of {', '.join(_COSTS)}")
        numbers = self.pair.split("-")
        if len(numbers) != 2 or not all(number.isalnum() for number in numbers):
            raise SpecError(f"dotmark:pair={self.pair}: give the numbers of two images, such as 1001-1002")
        if not self._resolutions:
            raise SpecError(f"dotmark:size={self.size}: give {_RESOLUTIONS[0]}, or what divides or doubles it")

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Of the coarsest resolution that is there and holds whole pixels of this size."""
        choices = [tuple(f"data{n}_{image}.csv" for image in self.pair.split("-")) for n in self._resolutions]
        return next((names for names in choices if all(map(self.has, names))), choices[0])

    def sizes(self) -> Sizes:
        pixels = self.size**2
        edges = pixels**2
        return Sizes(pixels, pixels, edges, 8 * (2 * pixels + 1) + 12 * edges)

    def build(self) -> MatchingLP:
        first, second = (self._masses(name) for name in self.files)
        if first.sum() != second.sum():
            raise ValueError(
                f"the images sum to {first.sum():,.0f} and {second.sum():,.0f}: transport needs equal sums"
            )
        unit = 2.0 ** np.round(np.log2(first.mean()))
        pixels = self.size**2
        return MatchingLP(
            offsets=np.arange(pixels + 1) * pixels,
            c=self._costs(),
            polytope=Simplex(z=first / unit, equality=True),
            rows=[Rows("pixel", row=np.tile(np.arange(pixels, dtype=np.int32), pixels), upper=second / unit)],
        )

    @property
    def _resolutions(self) -> list[int]:
        return [n for n in _RESOLUTIONS if n % self.size == 0]

    def _masses(self, name: str) -> npt.NDArray[np.float64]:
        """Grey value of each pixel, row after row: whole numbers, so that sums are exact."""
        grey = np.array(self.content_of(name).replace(b",", b" ").split(), dtype=np.float64)
        resolution = int(np.sqrt(grey.size))
        if resolution**2 != grey.size or resolution % self.size:
            raise ValueError(f"{name} has {grey.size} pixels: expected a square image that {self.size} divides")
        block = resolution // self.size
        masses: npt.NDArray[np.float64] = grey.reshape(self.size, block, self.size, block).sum(axis=(1, 3)).ravel()
        return masses

    def _costs(self) -> npt.NDArray[np.float32]:
        """Source after source, float32[size^4]: whole numbers where squared."""
        step = (np.arange(self.size)[:, None] - np.arange(self.size)) ** 2
        squared = (step[:, None, :, None] + step[None, :, None, :]).ravel()
        return (squared if self.cost == "squared" else np.sqrt(squared)).astype(np.float32)


READER = DotmarkSpec
