import re
from html.parser import HTMLParser

import pytest

from edgekit.errors import EnvironmentLacks
from edgekit.report import html as module
from edgekit.report.html import html

VOID = {"meta", "img", "br", "link", "input", "line", "circle", "rect"}


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


def test_is_whole_and_asks_nothing_of_a_network(report):
    page = html(report())
    seen = Balance()
    seen.feed(page)
    assert seen.open == []
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    assert all(a.startswith("data:image/jpeg;base64,") for a in seen.addresses)
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page


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
