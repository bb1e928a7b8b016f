import re

import pytest

from edgekit.report.page import TEMPLATES

CSS = (TEMPLATES / "page.css").read_text()
PAIRS = [
    ("ink", "paper"), ("ink", "sheet"), ("soft", "paper"), ("soft", "sheet"), ("accent", "paper"), ("accent", "sheet"),
    ("pass", "sheet"), ("fail", "sheet"), ("unsure", "sheet"), ("none", "sheet"), ("ink", "alarm"), ("fail", "alarm"),
    ("ink", "mark"),
]  # fmt: skip


def colors(dark):
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    assert len(blocks) == 3  # light, dark, print
    found = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", blocks[0]))
    return {**found, **dict(re.findall(r"--(\w+): #([0-9a-f]{6})", blocks[1]))} if dark else found


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, two):
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_enough_contrast(dark):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for what a plot draws."""
    found = colors(dark)
    ratios = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}
    assert min(contrast(found[name], found["sheet"]) for name in ("reference", "candidate")) >= 3
