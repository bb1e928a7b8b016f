import pytest

from edgekit.catalog.quantities import find_quantities


def found(text):
    return [(one.kind, one.value) for one in find_quantities(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("20 MB", "bytes", 20e6),
        ("no more than 500 kB", "bytes", 500e3),
        ("2 MiB", "bytes", 2 * 2**20),
        ("1,500 bytes", "bytes", 1500),
        ("1,5 MB", "bytes", 1.5e6),
        ("ten megabytes", "bytes", 10e6),
        (".5 GB", "bytes", 0.5e9),
        ("1.5 GB of RAM", "memory_bytes", 1.5e9),
        ("100ms", "ms", 100),
        ("0.5 s a page", "ms", 500),
        ("0,5 s", "ms", 500),
        ("half a second", "ms", 500),
        ("within a second", "ms", 1000),
        ("under 2 minutes", "ms", 120_000),
        ("25 frames per second", "ms", 40),
        ("50 ms per token", "token_ms", 50),
        ("10 tokens per second", "token_ms", 100),
        ("1 billion parameters", "parameters", 1e9),
        ("135M params", "parameters", 135e6),
    ],
)
def test_a_quantity(text, kind, value):
    assert found(text) == [(kind, pytest.approx(value))]


@pytest.mark.parametrize(
    "text",
    [
        "2 cores",
        "1,000 classes",
        "yolov8s on a Pi 5",
        "8-bit weights",
        "320x240 images",
        "in 2024",
        "5 m away",
        "as fast as possible",  # no "a s"
        "2-second clips",
        "a 10 minute recording",
        "30 seconds of audio",
        "a 5 s long film",
        "0 MB",
        "0 fps",
        "",
    ],
)
def test_no_quantity(text):
    assert found(text) == []


def test_several_in_order_with_the_words_that_bound_them():
    text = "OCR under 20 MB, at most 100 ms, 2 GB RAM"
    assert found(text) == [("bytes", 20e6), ("ms", 100), ("memory_bytes", 2e9)]
    assert [text[one.start : one.end] for one in find_quantities(text)] == [
        "under 20 MB",
        "at most 100 ms",
        "2 GB RAM",
    ]
