import pytest

from edgekit.report.wording import decibels, difference, level, percent, points, sentence, size, span


def test_size():
    assert [size(n) for n in (12_345, 5_190_000)] == ["12.3 kB", "5.19 MB"]


@pytest.mark.parametrize(
    ("value", "text"), [(-0.004, "0.00"), (-0.006, "-0.01"), (1.005, "1.00"), (12, "12.00")]
)
def test_points(value, text):
    assert points(value) == text


def test_others():
    assert span((-0.1, 1.7)) == "-0.10 to 1.70"
    assert (level(87.2, "points"), level(1.23456, "nats")) == ("87.20 %", "1.235 nats")
    assert (difference(0.8, "points"), difference(0.021299, "nats")) == ("0.80", "0.0213")
    assert (level(0.02, "1 - cosine"), level(0.02, "nats")) == ("0.02 (1 - cosine)", "0.02 nats")
    assert (decibels(21.46), decibels(None), decibels(None, "x")) == ("21.5 dB", "–", "x")
    assert (percent(0.95), percent(0.9987)) == ("95 %", "99.87 %")
    assert [sentence(t) for t in ("the end", "Is it?", "")] == ["The end.", "Is it?", "."]
