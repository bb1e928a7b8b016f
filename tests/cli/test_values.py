import argparse

import pytest

from edgekit.cli.values import (
    format_size,
    option,
    parse_count,
    parse_drop,
    parse_duration,
    parse_seed,
    parse_size,
)
from edgekit.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5MB", 5_000_000),
        ("5MiB", 5_242_880),
        ("123", 123),
        ("1.5kB", 1500),
        (".5 GB", 500_000_000),
        ("0.1MB", 100_000),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "5XB", "-5MB", "5 5MB", "0", "0.1B", "1e3", "nan"])
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "points", "relative"),
    [("0.5%", 0.5, False), ("2%", 2.0, False), ("1.5 %rel", 1.5, True), ("0%", 0, False)],
)
def test_drops(text, points, relative):
    drop = parse_drop(text)
    assert (drop.points, drop.relative) == (points, relative)
    assert parse_drop(str(drop)) == drop


@pytest.mark.parametrize("text", ["", "2", "101%", "-1%", "2%abs", "%"])
def test_what_is_no_drop(text):
    with pytest.raises(UsageError, match="drop"):
        parse_drop(text)


@pytest.mark.parametrize(("text", "ms"), [("100ms", 100), ("2s", 2000), ("500us", 0.5), ("1.5min", 90_000)])
def test_durations(text, ms):
    assert parse_duration(text) == pytest.approx(ms)


@pytest.mark.parametrize("text", ["", "5", "0ms", "-1s", "5 hours", "ms"])
def test_what_is_no_duration(text):
    with pytest.raises(UsageError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "ten", "9999999999"])
def test_what_is_no_count(text):
    with pytest.raises(UsageError, match="count"):
        parse_count(text)


def test_option_turns_our_error_into_argparses():
    assert option(parse_count)("7") == 7
    with pytest.raises(argparse.ArgumentTypeError, match="whole number"):
        option(parse_count)("x")


@pytest.mark.parametrize(("size", "text"), [(999, "999 B"), (1500, "1.5 kB"), (4_970_000, "4.97 MB")])
def test_sizes_for_people(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(("text", "seed"), [("0", 0), ("4294967295", 2**32 - 1)])
def test_seeds(text, seed):
    assert parse_seed(text) == seed


@pytest.mark.parametrize("text", ["-1", "x", "", "1.5", "4294967296", "٣"])
def test_what_is_no_seed(text):
    with pytest.raises(UsageError, match="seed: expected a whole number, 0 to 4294967295, got "):
        parse_seed(text)
