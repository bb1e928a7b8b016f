import pytest

from edgekit.data.spec import parse_spec
from edgekit.errors import UsageError


@pytest.mark.parametrize(
    ("text", "provider", "what", "options"),
    [
        ("photos", "", "photos", {}),
        ("a/b?crops=14&seed=1", "", "a/b", {"crops": "14", "seed": "1"}),
        ("rendered:lines?n=2000", "rendered", "lines", {"n": "2000"}),
        ("/abs/clip.mp4?frames=4", "", "/abs/clip.mp4", {"frames": "4"}),
        ("c:/x", "", "c:/x", {}),
    ],
)
def test_parse(text, provider, what, options):
    spec = parse_spec(text)
    assert (spec.provider, spec.what, dict(spec.options), spec.text) == (provider, what, options, text)


@pytest.mark.parametrize("text", ["", "?crops=2", "a?crops", "a?crops=", "a?crops=1&crops=2", "a?&"])
def test_refused(text):
    with pytest.raises(UsageError, match="data: "):
        parse_spec(text)


def test_count():
    spec = parse_spec("a?crops=14")
    assert spec.count("crops", 1, least=1) == 14
    assert spec.count("seed", 7) == 7


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "1000001", "٣"])
def test_count_refused(value):
    with pytest.raises(UsageError, match="expected a whole number, 1 to 1000000"):
        parse_spec(f"a?crops={value}").count("crops", 1, least=1)


def test_unknown_option():
    with pytest.raises(UsageError, match=r"no option 'crop' here \(expected crops, seed\)"):
        parse_spec("a?crop=2").refuse_unknown("crops", "seed")
