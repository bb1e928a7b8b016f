import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.errors import EnvironmentLacks
from edgekit.evaluation.origin import GraphOrigin
from edgekit.evaluation.outcome import Slice, Worst
from edgekit.report import page as module
from edgekit.report.html import html

VOID = {"meta", "img", "br", "link", "input", "line", "circle", "path"}


class Balance(HTMLParser):
    """Checks that every element is closed, and collects what could reach the network."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "action", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def digest(content):
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_is_whole_and_asks_nothing_of_a_network(broken):
    page = html(broken)
    seen = Balance()
    seen.feed(page)
    assert seen.open == []
    assert not {"link", "iframe", "object", "form", "base"} & seen.tags
    assert all(a.startswith(("data:image/jpeg;base64,", "#")) for a in seen.addresses)
    assert not re.search(r"url\(|@import|https?://", page)
    assert not re.search(r'\s(style|on\w+)="', page)


def test_links_lead_somewhere(broken):
    page = html(broken)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r' id="([^"]+)"', page))
    assert len(set(re.findall(r' id="([^"]+)"', page))) == len(re.findall(r' id="([^"]+)"', page))


def test_policy_names_the_one_style_and_the_one_script(full):
    page = html(full())
    policy = unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1])
    (style,), (script,) = (re.findall(rf"<{t}>(.*?)</{t}>", page, re.DOTALL) for t in ("style", "script"))
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{digest(style)}'; script-src '{digest(script)}'"
    )


def test_what_is_broken_stands_right_below_the_verdict(broken):
    page = html(broken)
    verdict, alarm, tiles = (
        page.index(s) for s in ('class="verdict FAIL"', "Broken stage: channel order", 'class="tiles"')
    )
    assert verdict < alarm < tiles
    assert "Put right alone, it brings back 98.7 % of the lost decisions." in page
    assert "Broken stage: CTC alphabet (recognize)" in page
    assert "2 of 4 golden inputs came out otherwise" in page


def test_first_screen_says_what_the_verdict_rests_on(full):
    page = html(full())
    first = page[: page.index('id="found"')]
    assert (
        "A limit of 2 points needs at least 149 independent samples, even if no decision flips; 1,000 were measured."
        in first
    )
    assert "-0.10 to 1.70" in first
    assert "4 of 4 golden inputs hold, 3 equal to the bit" in first


def test_slices_worst_first_and_the_rest_to_open(full):
    page = html(full())
    names = re.findall(r'<th scope="row">(class \d\d)', page)
    assert names == [f"class {i:02d}" for i in reversed(range(30))]
    assert "<summary>5 more</summary>" in page
    assert page.count('<small class="worse">worse</small>') == 10  # blur, and classes 21 to 29
    assert page.count('<small class="better">better</small>') == 1
    assert "hold for all 30 at once" in page


def test_origin(full):
    page = html(full())
    assert "late (Gemm, int8) is itself furthest off: 12.2 dB." in page
    assert "hurts (Conv, int8) alone hurts the output most: 15.5 dB" in page
    assert page.count("<title>late: 12.2 dB</title>") == 1
    assert "framework to exported full precision, optimiser on" in page
    assert '<td class="heat-4">96.60</td>' in page
    assert "<summary>All 4 layers</summary>" in page


def test_nothing_measured_of_layers(full):
    layers = tuple(replace(layer, alone_db=None, cumulative_db=None) for layer in origin_layers(full()))
    page = html(full(graphs={"model": GraphOrigin(1, layers)}, matrix=None))
    assert "All 4 layers" in page
    assert "furthest off" not in page


def origin_layers(report):
    return report.graphs["model"].layers


def test_texts_are_marked_where_they_differ(report):
    worst = (Worst("a", "STOP", "STOP", "STO", 1.0, True, 0, "darkness"),)
    page = html(report(task="ocr", worst=worst))
    assert "<dd>STO<mark>P</mark></dd>" in page
    assert "<dt>under</dt><dd>darkness</dd>" in page
    assert 'class="worst wide"' in page


def test_a_thousand_classes_and_twenty_pictures_stay_below_5_mb(full):
    noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    name = "Greater Swiss Mountain dog, Eschrichtius robustus " * 2
    slices = tuple(Slice("class", f"{name}{i}", 50, 50, 88.0, 87.0, 1.0, (-1.0, 3.0), 2) for i in range(1000))
    worst = tuple(Worst(f"{i}.jpg", name, name, name, 1.0, True, i, "", jpeg) for i in range(20))
    layers = tuple(replace(layer, name=f"{name}{i}") for i, layer in enumerate(origin_layers(full()) * 75))
    page = html(
        full(slices=slices, worst=worst, graphs={"a": GraphOrigin(1, layers), "b": GraphOrigin(1, layers)})
    )
    assert len(page.encode()) < 3_000_000


def test_says_what_matters(report):
    page = html(report())
    assert "Lite &lt;0&gt;" in page
    assert '<section class="verdict PASS">' in page
    assert "The drop is at most 1.70 points, within the limit of 2." in page
    assert "<li>count things</li>" in page
    assert "&lt;script&gt;" in page
    assert page.count('<li class="changed">') == 1
    assert page.count("<img") == 1
    assert "4,652,008 parameters" in page
    assert "Output SQNR" in page


def test_bare(report):
    page = html(report(worst=(), cannot=(), verdict="NONE", max_drop=None, clusters=1000, task="ocr"))
    assert "changed most" not in page
    assert "No limit given" in page
    assert "does not say what it cannot do" in page


def test_without_jinja2(report, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentLacks, match=r'jinja2.*pip install "edgekit\[report\]"'):
        html(report())


def test_perplexity(full):
    page = html(full(metric="perplexity", reference=12.34, candidate=12.44))
    assert "The drop is in percent of the reference&#39;s value (perplexity);" in page
    assert "percentage points" not in page
