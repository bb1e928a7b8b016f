"""The catalogue in a real browser: filters count right, nothing is asked of the network, a phone scrolls one way."""

import json

import pytest

from edgekit.catalog.cards import load_cards
from edgekit.catalog.licences import licence_kind
from edgekit.catalog.sizes import size_bytes
from edgekit.cli import main
from edgekit.report.catalogue import catalogue_html, milliseconds
from tests.report.browser import Browser, executable

CARDS = load_cards()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "catalogue.html"
    path.write_text(catalogue_html(CARDS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = executable()
    if program is None:
        pytest.skip("no chromium on this machine")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


def shown(browser, **chosen):
    """Names that are left with these filters, in order."""
    steps = "".join(f"document.getElementById('{i}').value = {json.dumps(v)};" for i, v in chosen.items())
    return browser.evaluate(
        f"(() => {{ form.reset(); {steps} show();"
        " return [...list.children].filter((i) => !i.hidden).map((i) => i.dataset.name); })()"
    )


def names(holds):
    return [name for name, card in CARDS.items() if holds(card)]


def test_each_filter_leaves_what_holds(page, browser):
    browser.open(page, 1280)
    assert shown(browser) == sorted(CARDS)
    assert shown(browser, task="transcribe") == names(lambda c: c.task == "transcribe")
    assert shown(browser, kind="general") == names(lambda c: c.general)
    assert shown(browser, licence="copyleft") == ["yolov8n", "yolov8s-signature"]
    assert shown(browser, licence="permissive") == names(lambda c: licence_kind(c) == "permissive")
    assert shown(browser, recipe="yes") == names(lambda c: not c.no_recipe)
    assert shown(browser, megabytes="5", precision="int8") == names(
        lambda c: size_bytes(c.parameters, "int8") <= 5_000_000
    )
    assert "smolvlm-256m" not in shown(browser, megabytes="50", precision="int4")
    assert "smolvlm-256m" in shown(browser, megabytes="145", precision="int4")
    assert "gemma3-4b" not in shown(browser, device="pi-zero-2")
    russian = shown(browser, language="ru", task="transcribe")
    assert russian == ["wav2vec2-xlsr-russian", "whisper-large-v3"]


def test_words_and_filters_together(page, browser):
    browser.open(page, 1280)
    assert shown(browser, words="signature") == ["yolov8s-signature"]
    assert shown(browser, words="tweets", language="es") == ["robertuito"]
    assert shown(browser, words="nothing like that") == []
    assert browser.evaluate("document.getElementById('none').hidden") is False
    assert browser.evaluate("document.getElementById('count').textContent") == f"0 of {len(CARDS)} models"


def test_sorted_by_size_and_sizes_at_a_precision(page, browser):
    browser.open(page, 1280)
    order = shown(browser, sort="parameters", precision="int4")
    assert order == sorted(CARDS, key=lambda n: (CARDS[n].parameters, n))
    first = "list.children[0].querySelector"
    assert browser.evaluate(f"{first}('.at').textContent") == "int4"
    assert browser.evaluate(f"{first}('.bytes').textContent") == "57.0 kB"  # BlazeFace


def test_it_is_whole_offline_and_narrow(page, browser):
    for width, dark in ((1280, False), (360, True)):
        browser.open(page, width, dark)
        browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert browser.complaints() == []
        assert browser.requests() == []


def test_every_card_says_what_it_cannot_do_and_who_says_so(page):
    content = page.read_text("utf-8")
    assert content.count("<h3>It cannot</h3>") == len(CARDS) == content.count("<summary>Sources</summary>")
    assert content.count("<b>No recipe.</b>") == len(names(lambda c: c.no_recipe))
    assert content.count("is wrong</b>") == sum(len(c.quoted) for c in CARDS.values())


@pytest.mark.parametrize(
    ("value", "said"), [(0.4, "0.4 ms"), (9.96, "10 ms"), (12.4, "12 ms"), (999.0, "999 ms"), (3100, "3.1 s")]
)
def test_times(value, said):
    assert milliseconds(value) == said


def test_the_command_writes_it(tmp_path, capsys):
    path = tmp_path / "c.html"
    assert main(["models", "--html", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: {len(CARDS)} models\n"
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert main(["models", "--html", str(tmp_path / "none" / "c.html")]) == 2


def test_the_command_shows_one_card(capsys):
    assert main(["models", "smolvlm-256m"]) == 0
    said = capsys.readouterr().out
    assert "general, English" in said
    assert "1.56 bits a parameter" in said
    assert "256.48 MB int8" in said
