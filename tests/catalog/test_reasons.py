import pytest

from edgekit.catalog.cards import load_cards
from edgekit.catalog.match import match
from edgekit.catalog.need import parse_need
from edgekit.catalog.reasons import plural, told_mb, told_ms

CARDS = load_cards()


def reasons(name, text):
    return [(one.field, one.said) for one in match(name, CARDS[name], parse_need(text, CARDS)).reasons]


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("signature", "signatures"),
        ("person", "people"),
        ("bus", "buses"),
        ("glasses", "glasses"),
        ("cross", "crosses"),
        ("box", "boxes"),
        ("battery", "batteries"),
        ("toy", "toys"),
        ("y", "ys"),
        ("dining table", "dining tables"),
        ("sheep", "sheep"),
    ],
)
def test_plurals(one, many):
    assert plural(one) == many


def test_of_what_is_found_on_what():
    assert reasons("fastestdet", "find people and buses, 1 MB, Pi 4") == [
        ("task", "finds people, buses"),
        ("size", "0.2384 MB as int8 of 1 MB"),
        ("latency", "estimated 8.1 ms on a Raspberry Pi 4 B: an input"),
    ]


def test_languages_and_licence():
    assert reasons("wav2vec2-xlsr-russian", "transcribe Russian and German calls, Apache-2.0 licence") == [
        ("task", "made for speech recognition"),
        ("language", "knows Russian"),
        ("licence", "Apache-2.0"),
    ]


def test_energy_only_where_it_is_preferred():
    need = "find faces on a Pi 4"
    assert [field for field, _ in reasons("blazeface", need)] == ["task", "size", "latency"]
    assert reasons("blazeface", f"{need}, low energy")[-1] == ("energy", "0.0131 J an input")


def test_what_cannot_be_done_is_no_reason():
    assert reasons("blazeface", "transcribe calls") == []


def test_a_generalist_that_is_asked():
    assert reasons("smolvlm-256m", "find hammers") == [("task", "general: bound to no subject")]


@pytest.mark.parametrize(
    ("ms", "said"), [(0.25, "0.25 ms"), (3.71, "3.7 ms"), (117.2, "117 ms"), (8047.0, "8,047 ms")]
)
def test_times(ms, said):
    assert told_ms(ms) == said


def test_sizes():
    assert (told_mb(11_135_987), told_mb(100_000)) == ("11.14 MB", "0.1 MB")
