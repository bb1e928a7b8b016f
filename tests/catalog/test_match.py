import pytest
from msgspec.structs import replace

from edgekit.bundle.card import Card, Speed
from edgekit.catalog.match import match
from edgekit.catalog.need import Need, Want
from edgekit.catalog.placement import ANSWER_TOKENS, place

CARD = Card(
    title="A finder of cups",
    task="detect",
    domain="cups in photos",
    languages=(),
    input_range="a picture of 320 x 320",
    cannot=("find anything but cups: no spoons",),
    license="MIT",
    source="here",
    parameters=10_000_000,
    badge="cups only",
    subjects=("cup",),
    operations=12_200_000_000,  # 100 ms of a Pi 5's 122e9 a second
)
CUPS = Need(wants=(Want("detect", ("cup",)),))
READER = replace(CARD, task="ocr", languages=("en",), title="A reader", domain="print", badge="English only")
READING = (Want("read"),)


def of(need=CUPS, card=CARD, **changed):
    fields = {name: getattr(need, name) for name in need.__dataclass_fields__}
    return match("cups", card, Need(**fields | changed))


def hard(one):
    return [m.field for m in one.mismatches if m.hard]


def test_it_fits():
    one = of(max_bytes=20_000_000, device="pi5")
    assert (one.fits, one.mismatches, one.made, one.related) == (True, (), True, True)
    assert [(r.field, r.said) for r in one.reasons] == [
        ("task", "finds cups"),
        ("size", "10 MB as int8 of 20 MB"),
        ("latency", "estimated 100 ms on a Raspberry Pi 5: an input"),
    ]


def test_size():
    assert hard(of(max_bytes=10_000_000)) == []
    assert hard(of(max_bytes=9_999_999)) == ["size"]
    assert hard(of(memory_bytes=9_999_999, max_bytes=20_000_000)) == ["size"]
    (one,) = of(max_bytes=5_000_000).mismatches
    assert one.said.startswith("size: 10,000,000 parameters in 5 MB leave 4.00 bits a weight")


@pytest.mark.parametrize(
    ("limit_ms", "expected"), [(100.0, []), (99.0, [False]), (50.0, [False]), (49.9, [True])]
)
def test_an_estimate_rules_out_beyond_its_own_error(limit_ms, expected):
    assert [m.hard for m in of(max_ms=limit_ms, device="pi5").mismatches] == expected


def test_what_is_said_of_an_estimate_within_its_error():
    (one,) = of(max_ms=80.0, device="pi5").mismatches
    assert one.said == (
        "latency: estimated 100 ms, within the estimate's factor of 2 of 80 ms: measure it with edgekit bench"
    )


def test_a_measured_time_has_no_such_margin():
    speed = Speed(device="pi5", precision="int8", ms=90.0, what="a picture", kind="measured", source="here")
    one = of(card=replace(CARD, speed=(speed,)), max_ms=80.0, device="pi5")
    assert hard(one) == ["latency"]
    assert one.mismatches[0].said == "latency: measured 90 ms on pi5 for a picture, asked for 80 ms"


def test_no_time_without_a_device_or_operations():
    assert of(max_ms=1.0).mismatches == ()
    assert of(card=replace(CARD, operations=None), max_ms=1.0, device="pi5").mismatches == ()


def test_a_language_model_is_timed_by_a_short_answer():
    card = replace(
        CARD,
        task="generate",
        languages=("en",),
        operations=122_000_000,
        sources={"operations": "of one token"},
    )
    need = Need(wants=(Want("generate"),), device="pi5")
    one = of(need, card)  # 1 ms of operations, 10 MB at 9e9 bytes a second: 1.11 ms a token
    assert one.placement.ms == pytest.approx(ANSWER_TOKENS * 10e6 / 9e6)
    assert one.placement.what == "an answer of 20 tokens"
    assert hard(of(need, card, max_ms=5.0)) == ["latency"]
    assert of(need, card, token_ms=1.2).mismatches == ()
    assert hard(of(need, card, token_ms=0.5)) == ["latency"]


def test_licence_language_parameters_and_form():
    assert hard(of(Need(wants=READING, languages=("de",)), READER)) == ["language"]
    assert hard(of(Need(wants=READING, languages=("en",)), READER)) == []
    assert hard(of(parameters=10_000_000)) == []
    assert hard(of(parameters=17_000_000)) == ["parameters"]
    line = replace(READER, badge="one printed line")
    assert hard(of(Need(wants=READING, languages=("en",)), line)) == ["form"]
    assert hard(of(Need(wants=READING, languages=("en",), one_line=True), line)) == []
    decoder = replace(READER, architecture="encoder and decoder")
    assert hard(of(Need(wants=READING, languages=("en",), not_autoregressive=True), decoder)) == ["form"]


def test_another_task_or_subject_is_no_near_miss():
    read = of(Need(wants=READING))
    assert (hard(read), read.related, read.made) == (["task"], False, False)
    forks = of(Need(wants=(Want("detect", ("fork",)),)))
    assert (hard(forks), forks.related) == (["subject"], False)
    assert forks.mismatches[0].said == "asked for object detection of fork: this knows cups only, not fork"


def test_what_a_card_names_as_beyond_it_is_a_near_miss():
    spoons = of(Need(wants=(Want("detect", ("spoon",)),)))
    assert (hard(spoons), spoons.related) == (["setting", "subject"], True)


def test_some_of_what_is_wanted_is_a_soft_mismatch():
    one = of(Need(wants=(Want("detect", ("cup", "fork")),)))
    assert (one.fits, [m.field for m in one.mismatches]) == (True, ["subject"])


def test_classes_of_ones_own():
    assert hard(of(own_classes=True)) == ["subject"]


@pytest.mark.parametrize(
    ("limit", "prefer", "precision", "size_bytes"),
    [
        (None, "", "int8", 10_000_000),
        (None, "accuracy", "fp16", 20_000_000),
        (15_000_000, "accuracy", "int8", 10_000_000),
        (1, "", "int8", 10_000_000),
    ],
)
def test_placement(limit, prefer, precision, size_bytes):
    placed = place(CARD, limit, None, prefer)
    assert (placed.precision, placed.bytes, placed.ms) == (precision, size_bytes, None)
