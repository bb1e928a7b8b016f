from __future__ import annotations

import tomllib
from pathlib import Path

from edgekit.catalog.advise import Advice, advise
from edgekit.catalog.cards import load_cards
from edgekit.catalog.need import parse_need

CARDS = load_cards()
NEEDS = tomllib.loads((Path(__file__).parent / "needs.toml").read_text())["need"]


def advice_on(text: str) -> Advice:
    return advise(parse_need(text, CARDS), CARDS)


def test_the_written_needs() -> None:
    found = [(need, advice_on(need["text"])) for need in NEEDS]
    right = sum(advice.top in need["top"] for need, advice in found)
    assert len(found) == 64 and right >= 58  # 90 %
    for need, advice in found:
        said = " ".join(advice.warnings).lower()
        if "warns" not in need:
            assert advice.warnings == (), need["text"]
        else:
            for words in need["warns"]:
                assert any(word.lower() in said for word in words.split("|")), need["text"]


def test_a_vision_language_model_in_50_mb_is_refused_with_the_arithmetic() -> None:
    advice = advice_on("SmolVLM in 50 MB on a Pi 5")
    assert advice.top == "none"
    assert "256,484,928 parameters in 50 MB leave 1.56 bits a weight" in advice.warnings[0]


def test_a_need_is_read() -> None:
    need = parse_need("find signatures on scanned invoices, offline, Pi 5, 100 ms, 20 MB")
    assert [(want.kind, want.subjects) for want in need.wants] == [("detect", ("signature",))]
    assert need.settings == ("scanned invoice",)
    assert (need.device, need.max_ms, need.max_bytes, need.offline) == ("pi5", 100.0, 20_000_000, True)
