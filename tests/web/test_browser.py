"""The preview in a real browser: what is told is seen, nothing is asked of another place, a phone scrolls one way."""

from __future__ import annotations

import struct
import threading
import time

import pytest

from edgekit.events import AnswerTold, CameraChanged, VariantChanged
from edgekit.web.access import access_for
from edgekit.web.address import Address
from edgekit.web.preview import OPEN_PATHS, locked_page
from edgekit.web.records import record
from edgekit.web.server import Response, Server
from tests.report.browser import Browser, executable
from tests.web.conftest import DROP, HOSTILE, MS, run_of

TOKEN = "correct-horse-battery"
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = executable()
    if program is None:
        pytest.skip("no chromium on this machine")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


def seen(browser, expression):
    """Waits until an expression holds in the page."""
    until = time.monotonic() + PATIENCE_S
    while not holds(browser, expression):
        assert time.monotonic() < until, expression
        time.sleep(0.02)


def holds(browser, expression):
    try:
        return browser.evaluate(expression)
    except RuntimeError as error:
        if "navigated" in str(error) or "context" in str(error):  # on its way to the next page
            return False
        raise


def text(browser, identifier):
    return browser.evaluate(f"document.getElementById('{identifier}').textContent")


def running(stage, browser, width=1280, dark=False):
    stage.frames(30)
    browser.open(stage.url, width, dark)
    seen(browser, "document.getElementById('state').textContent === 'live'")  # a frame, and then figures
    seen(browser, "document.getElementById('frames-note').textContent === '30 read'")


def test_what_is_told_is_seen(stage, browser):
    running(stage, browser)
    assert text(browser, "title") == "A detector of people"
    assert text(browser, "source") == "synthetic: · 20 frames a second"
    assert text(browser, "fps") == "20.0"
    assert text(browser, "p50") == "20.0 ms"
    assert text(browser, "infer-p95") == "16.0"
    assert text(browser, "misses") == "3 of 30"
    assert text(browser, "temperature") == "52 °C"
    assert browser.evaluate("document.getElementById('temperature-tile').title") == "clock limited"
    assert text(browser, "variant") == "int8"
    assert text(browser, "drop") == "1.25 points of map · 95 % interval 0.50 to 2.00"
    assert text(browser, "cannot") == "see in the darktell twins apart"
    assert text(browser, "domain") == "people indoors"
    assert text(browser, "answerer") == "Shapes: coloured shapes only"
    assert text(browser, "frames-note") == "30 read"
    assert text(browser, "caption") == "frame 29 · 20.0 ms late"
    assert browser.evaluate("document.querySelectorAll('#latency-plot rect').length") >= 3 * 5
    assert browser.evaluate("document.querySelector('.deadline-text').textContent") == "deadline 40 ms"


def test_the_picture_and_its_boxes_are_drawn(stage, browser):
    running(stage, browser)
    pixel = "Array.from(document.getElementById('canvas').getContext('2d').getImageData({x}, {y}, 1, 1).data)"
    width, height = browser.evaluate("[canvas.width, canvas.height]")
    assert abs(width * 3 - height * 4) <= 4  # 320×240, scaled
    left, right = (browser.evaluate(pixel.format(x=round(x * width), y=5)) for x in (0.02, 0.98))
    assert right[1] > left[1] + 100  # green rises to the right, as in the frame
    on_edge = browser.evaluate(pixel.format(x=round(40 / 320 * width), y=round(150 / 240 * height)))
    beside = browser.evaluate(pixel.format(x=round(20 / 320 * width), y=round(150 / 240 * height)))
    assert max(abs(a - b) for a, b in zip(on_edge, beside, strict=True)) > 60


def test_labels_are_text_and_never_markup(stage, browser):
    stage.tell(AnswerTold(0, 1, stage.now_ns, HOSTILE, HOSTILE, HOSTILE, False, stage.now_ns))
    stage.tell(CameraChanged("live", 0, HOSTILE))
    running(stage, browser)
    seen(browser, "!document.getElementById('answers-card').hidden")
    assert HOSTILE in text(browser, "answers")
    assert HOSTILE in text(browser, "camera")
    assert browser.evaluate("document.querySelectorAll('img').length") == 1  # the icon
    assert browser.complaints() == []
    assert {url.removeprefix(stage.url) for url in browser.requests()} == {
        "/preview.css",
        "/preview.js",
        "/plots.js",
        "/icon.svg",
        "/stream",
    }


def test_an_answer_grows_and_carries_the_age_of_its_frame(stage, browser):
    running(stage, browser)
    asked_ns = stage.now_ns
    for words in ("Two", "Two people", "Two people walk."):
        stage.now_ns += 400 * MS
        finished = words.endswith(".")
        stage.tell(AnswerTold(0, 29, asked_ns, "person 0.91", "Who is there?", words, finished, stage.now_ns))
        stage.frames(1)
        seen(browser, f"document.querySelector('#answers .text')?.textContent === '{words}'")
        assert browser.evaluate("document.querySelector('#answers article').className") == (
            "" if finished else "open"
        )
    seen(
        browser,
        "document.querySelector('#answers .meta').textContent.includes('answered after 1.3 s · person 0.91')",
    )
    stage.tell(AnswerTold(1, 30, stage.now_ns, "", "And now?", "A", True, stage.now_ns, broken_off=True))
    seen(browser, "document.querySelector('#answers .meta').textContent.endsWith('broken off after 0.0 s')")


def test_camera_and_variant(stage, browser):
    running(stage, browser)
    stage.tell(CameraChanged("lost", stage.now_ns, "no frame for 2 s"))
    seen(browser, "document.getElementById('state').textContent === 'lost'")
    assert text(browser, "notice") == "Camera lost for 0.0 s: no frame for 2 s"
    stage.tell(CameraChanged("live", stage.now_ns, "opened again"))
    stage.tell(VariantChanged("int8", "small", DROP, stage.now_ns, "hot: 81 °C"))
    seen(browser, "document.getElementById('state').textContent === 'live'")
    seen(browser, "document.getElementById('variant').textContent === 'small · hot: 81 °C'")
    assert browser.evaluate("document.getElementById('notice').hidden") is True


def test_the_end_is_shown(stage, browser):
    running(stage, browser)
    stage.preview.close()
    seen(browser, "document.getElementById('state').textContent === 'ended'")
    assert text(browser, "notice") == "The run has ended."


def test_a_new_run_at_the_same_place_begins_afresh(browser):
    with run_of() as stage:
        stage.tell(AnswerTold(0, 1, stage.now_ns, "person 0.91", "Who?", "Two people.", True, stage.now_ns))
        running(stage, browser)
        seen(browser, "!document.getElementById('answers-card').hidden")
        port = stage.server.address.port
    seen(browser, "document.getElementById('state').textContent === 'ended'")
    with run_of(port) as stage:
        seen(browser, "document.getElementById('notice').textContent === 'Waiting for the first frame.'")
        assert browser.evaluate("document.getElementById('answers-card').hidden") is True
        assert text(browser, "frames-note") == "0 read"
        stage.frames(1)
        seen(browser, "document.getElementById('state').textContent === 'live'")


def test_a_stream_that_breaks_or_falls_silent_is_begun_anew(stage, browser):
    left, over = threading.Event(), threading.Event()

    def broken():
        yield struct.pack(">II", 1, 0) + b"{"
        while True:  # until the page hangs up
            over.wait(0.02)
            yield b"\0" * 100_000

    def silent():
        yield record("figures", {})[:5]
        over.wait(60)

    routes = stage.preview.routes()
    streams = [
        Response("application/octet-stream", broken(), finish=left.set),
        Response("application/octet-stream", silent()),
    ]
    real = routes["/stream"]
    routes["/stream"] = lambda headers: streams.pop(0) if streams else real(headers)
    address = Address("127.0.0.1", 0)
    server = Server(address, routes, access_for(address, None, "pi"))
    server.start()
    try:
        stage.frames(30)
        browser.open(f"http://{server.address}", 390)
        assert left.wait(PATIENCE_S)
        seen(
            browser, "document.getElementById('notice').textContent.startsWith('Nothing was heard for 4.0 s')"
        )
        seen(browser, "document.getElementById('state').textContent === 'live'")
        assert streams == []
    finally:
        over.set()
        stage.preview.hub.close()
        server.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
@pytest.mark.parametrize("dark", [False, True])
def test_no_sideways_scroll_and_no_complaint(stage, browser, width, dark):
    stage.tell(AnswerTold(0, 1, stage.now_ns, "w" * 80, "q" * 200, "x" * 300, True, stage.now_ns))
    running(stage, browser, width, dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []
    light = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light == ("rgb(17, 20, 23)" if dark else "rgb(244, 245, 243)")


def test_a_token_is_asked_for_once(stage, browser):
    address = Address("127.0.0.1", 0)
    server = Server(
        address,
        stage.preview.routes(),
        access_for(address, TOKEN, "pi"),
        open_paths=OPEN_PATHS,
        locked=locked_page(),
    )
    server.start()
    try:
        stage.frames(3)
        browser.open(f"http://{server.address}", 390)
        assert browser.evaluate("document.querySelector('h1').textContent") == "This camera is locked"
        browser.evaluate(f"token.value = '{TOKEN}'; document.querySelector('button').click()")
        seen(browser, "document.getElementById('state')?.textContent === 'live'")
        assert browser.evaluate("location.href") == f"http://{server.address}/"
        assert browser.evaluate("document.cookie") == ""
    finally:
        stage.preview.hub.close()
        server.close()
