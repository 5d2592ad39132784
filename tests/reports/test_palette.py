"""Colours that any reader tells apart, with markers and dashes as a second cue."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.palette import COLOURS, KNOWN, styles

#: Linear RGB as readers see it who lack the cones for red, or for green (Machado, Oliveira and Fernandes, 2009).
VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
PAGES = ("#ffffff", "#14171b")
#: CIEDE2000 between any two colours of a page; by vision; two that differ by 5 are told apart side by side.
LEAST = {"normal": 19.0, "protan": 12.0, "deutan": 12.0}


def linear(colour: str) -> NDArray[np.float64]:
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance."""
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def lab(colour: str, vision: str) -> tuple[float, float, float]:
    """CIELAB of a colour under the white of sRGB."""
    seen = np.clip(np.asarray(VISION[vision]) @ linear(colour), 0.0, 1.0)
    ratio = XYZ @ seen / XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: tuple[float, float, float], two: tuple[float, float, float]) -> float:
    """CIEDE2000: Sharma, Wu and Dalal, Color Research and Application 30 (2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    power = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * math.sqrt(power / (power + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2

    weight = sum(k * math.cos(math.radians(n * hue + at)) for k, n, at in _HUES)
    of_light = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    of_chroma, of_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    rotation = 2 * math.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    rotation *= -math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    parts = (
        (l2 - l1) / of_light,
        (c2 - c1) / of_chroma,
        2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / of_hue,
    )
    return math.sqrt(sum(part**2 for part in parts) + rotation * parts[1] * parts[2])


_HUES = ((1.0, 0, 0), (-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))


def test_the_difference_is_that_of_published_pairs() -> None:
    """Pairs 1, 7 and 20 of Sharma, Wu and Dalal."""
    assert difference((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert difference((50.0, 0.0, 0.0), (50.0, -1.0, 2.0)) == pytest.approx(2.3669, abs=1e-4)
    assert difference((50.0, 2.5, 0.0), (58.0, 24.0, 15.0)) == pytest.approx(19.4535, abs=1e-4)


@pytest.mark.parametrize("slot", range(len(COLOURS)))
def test_colours_are_seen_on_their_page(slot: int) -> None:
    for colour, page in zip(COLOURS[slot], PAGES, strict=True):
        high, low = sorted((luminance(colour), luminance(page)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3.0


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
def test_any_two_colours_differ_to_every_reader(page: int, vision: str) -> None:
    seen = [lab(pair[page], vision) for pair in COLOURS]
    assert min(difference(one, two) for one, two in combinations(seen, 2)) > LEAST[vision]


def test_a_solver_keeps_its_colour_in_any_company() -> None:
    alone = styles({"ortools-pdlp": "ortools-pdlp", "mine": "mine"})
    together = styles({name: name for name in (*KNOWN, "mine")})
    assert all(alone[name].slot == together[name].slot for name in alone)
    assert len({style.slot for style in together.values()}) == len(together)


def test_variants_of_a_solver_share_its_colour_and_differ_in_dash_and_marker() -> None:
    one, two = styles({"dualip · cpu": "dualip", "dualip · cuda": "dualip"}).values()
    assert one.slot == two.slot
    assert one.dash != two.dash
    assert one.marker != two.marker


def test_more_solvers_than_colours_differ_in_marker_and_dash() -> None:
    looks = styles({f"s{k}": f"s{k}" for k in range(30)})
    of_colour = sorted((look.slot, look.marker, str(look.dash)) for look in looks.values())
    assert all(one != two for one, two in pairwise(of_colour))
