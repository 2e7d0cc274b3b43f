"""The colours of lines: one list for Python and the stylesheet, and that eyes of every kind can tell them apart."""

import re
from pathlib import Path

import numpy as np
import pytest

from runwidgets.watch.wire import PALETTE, SERIES_COLORS

STYLESHEET = Path(__file__).parent.parent / "js" / "src" / "css" / "base.css"
TOLD_APART = 8
"""How many of the first colours are held to it: more lines than that nobody follows by colour."""

# Machado, Oliveira, Fernandes, 2009: "A Physiologically-based Model for Simulation of Color Vision Deficiency", the
# matrices of severity 1, for linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Ottosson, 2020: "A perceptual color space for image processing" (OKLab).
TO_LMS = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
TO_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def linear(colors):
    srgb = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in colors])
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    return np.cbrt(np.clip(rgb, 0, 1) @ TO_LMS.T) @ TO_LAB.T


def lifted(rgb, share=0.25):
    """Mix with white as the stylesheet does on a dark page."""
    mixed = lab(rgb) * (1 - share) + np.array([1.0, 0.0, 0.0]) * share
    return np.clip((mixed @ np.linalg.inv(TO_LAB).T) ** 3 @ np.linalg.inv(TO_LMS).T, 0, 1)


def luminance(rgb):
    return rgb @ np.array([0.2126, 0.7152, 0.0722])


LIGHT = linear(SERIES_COLORS)
PAGES = {"light": LIGHT, "dark": lifted(LIGHT)}


def test_python_and_the_stylesheet_have_the_same_colors():
    sheet = STYLESHEET.read_text()
    found = re.findall(
        r"--rw-series-(\d+): (?:color-mix\(in oklab, #fff var\(--rw-lift\), (#\w+)\)|var\(--rw-accent\));", sheet
    )
    accent = re.search(r"--rw-accent: (#\w+);", sheet)[1]
    assert [(int(place), color or accent) for place, color in found] == list(enumerate(SERIES_COLORS))
    assert [f"var(--rw-series-{place}, {color})" for place, color in enumerate(SERIES_COLORS)] == list(PALETTE)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("eyes", "least"), [("all cones", 6.5), ("protanopia", 5.5), ("deuteranopia", 5.5), ("tritanopia", 4)]
)
def test_the_first_colors_differ_for_eyes_of_every_kind(page, eyes, least):
    """A difference of 2 is just seen where two patches touch; lines are thin and lie apart."""
    seen = lab(PAGES[page][:TOLD_APART] @ np.array(EYES[eyes]).T)
    gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2) * 100
    places = np.triu_indices(TOLD_APART, 1)
    closest = gaps[places].argmin()
    assert gaps[places].min() >= least, [SERIES_COLORS[pair[closest]] for pair in places]


@pytest.mark.parametrize(("page", "behind"), [("light", "#ffffff"), ("dark", "#212121")])
def test_lines_stand_out_from_the_page(page, behind):
    """WCAG 2.2, 1.4.11: 3 to 1 for graphics."""
    light = np.stack([luminance(PAGES[page][:TOLD_APART]), np.full(TOLD_APART, luminance(linear([behind]))[0])])
    assert ((light.max(axis=0) + 0.05) / (light.min(axis=0) + 0.05)).min() >= 3
