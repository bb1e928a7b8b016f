"""The pages in a real browser: nothing is asked of a network, nothing complains, a phone needs no sideways scroll."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.evaluation.outcome import Worst
from edgekit.report.comparison import compare_reports
from edgekit.report.comparison_page import comparison_html
from edgekit.report.html import html
from tests.report.browser import Browser, executable

WIDTHS = (360, 768, 1070, 1280)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = executable()
    if program is None:
        pytest.skip("no chromium on this machine")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture
def page(tmp_path, broken):
    """The fullest report, with unbreakably long names."""
    jpeg = cv2.imencode(".jpg", np.full((40, 300, 3), 99, np.uint8))[1].tobytes()
    long = "x" * 90
    worst = tuple(
        Worst(f"{long}/{i}.jpg", long, long, "b " * 99, 1.0, True, i, "blur", jpeg) for i in range(4)
    )
    slices = (replace(broken.slices[0], name=long), *broken.slices[1:])
    path = tmp_path / "report.html"
    path.write_text(html(replace(broken, worst=worst, slices=slices)), "utf-8")
    return path


def is_quiet(browser):
    return browser.complaints() == [] and browser.requests() == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_quiet_and_no_wider_than_the_screen(browser, page, width, dark):
    browser.open(page, width, dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("innerWidth") == width  # a phone would have zoomed out to fit wider content
    assert browser.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth === 300)")
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 23, 27)" if dark else "rgb(247, 247, 244)")
    assert is_quiet(browser)


def test_the_first_screen_of_a_phone_shows_verdict_and_figures(browser, tmp_path, full):
    path = tmp_path / "report.html"
    path.write_text(html(full()), "utf-8")
    browser.open(path, 360)
    for selector in (".verdict", ".tiles", ".plot"):
        assert (
            browser.evaluate(f"document.querySelector({selector!r}).getBoundingClientRect().bottom") <= 740
        ), selector


COLUMN = """(() => {
  const table = [...document.querySelectorAll("table.sortable")].find((t) => t.textContent.includes("top5"));
  return [...table.tBodies[0].rows].map((row) => row.cells[0].firstChild.textContent);
})()"""
HEAD = '[...document.querySelectorAll("table.sortable")].find((t) => t.textContent.includes("top5")).tHead.rows[0]'


def test_tables_sort_by_keyboard(browser, page):
    browser.open(page, 1280)
    as_written = ["top-1 accuracy", "top5", "kl", "auc"]
    assert browser.evaluate(COLUMN) == as_written
    browser.evaluate(f"{HEAD}.cells[3].querySelector('button').focus()")
    browser.press("Enter", 13)
    assert browser.evaluate(f"{HEAD}.cells[3].getAttribute('aria-sort')") == "ascending"
    assert browser.evaluate(COLUMN) == ["kl", "auc", "top5", "top-1 accuracy"]
    browser.press("Enter", 13)
    assert browser.evaluate(f"{HEAD}.cells[3].getAttribute('aria-sort')") == "descending"
    assert browser.evaluate(COLUMN) == ["top-1 accuracy", "top5", "auc", "kl"]
    browser.evaluate(f"{HEAD}.cells[1].querySelector('button').click()")  # what is missing goes last
    assert browser.evaluate(COLUMN) == ["top-1 accuracy", "top5", "auc", "kl"]
    assert browser.evaluate(f"{HEAD}.cells[3].getAttribute('aria-sort')") == "none"
    browser.evaluate(f"{HEAD}.cells[0].querySelector('button').click()")
    assert browser.evaluate(COLUMN) == ["auc", "kl", "top-1 accuracy", "top5"]
    assert is_quiet(browser)


def test_whole_without_script(browser, page):
    browser.open(page, 1280, script=False)
    text = browser.call("DOM.getOuterHTML", nodeId=browser.call("DOM.getDocument")["root"]["nodeId"])[
        "outerHTML"
    ]
    assert "<button" not in text
    assert text.count("<tr>") > 40
    assert browser.requests() == []


def test_policy_forbids_everything_else(browser, page):
    browser.open(page, 1280)
    browser.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.org/a.png'}))")
    browser.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\" id=\"p\">')")
    assert browser.evaluate("getComputedStyle(document.getElementById('p')).color") != "rgb(255, 0, 0)"
    assert any("Content Security Policy" in line for line in browser.complaints())


def test_prints(browser, page):
    browser.open(page, 1280, dark=True)
    content = browser.pdf()
    assert content.startswith(b"%PDF-")
    assert is_quiet(browser)


def test_comparison(browser, tmp_path, full, broken):
    path = tmp_path / "comparison.html"
    path.write_text(comparison_html(compare_reports(full(), broken)), "utf-8")
    for width in WIDTHS:
        browser.open(path, width)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert is_quiet(browser)
