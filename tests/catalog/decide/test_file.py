import tomllib

import pytest

from edgekit.catalog.decide.assumptions import flat
from edgekit.catalog.decide.defaults import default_assumptions, default_sources
from edgekit.catalog.decide.file import changed, parse, setting, written
from edgekit.catalog.devices import DEVICES
from edgekit.errors import DataError, UsageError

PI5 = default_assumptions("pi5", ["image"])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("modalities", [["image"], ["text", "sound"], ["image", "text", "sound"]])
def test_what_is_written_reads_as_it_was(device, modalities):
    found = default_assumptions(device, modalities)
    text = written(found, default_sources(device, modalities))
    other = default_assumptions("pi4" if device == "pi5" else "pi5", ["image"])
    assert changed(other, parse(text)) == found


def test_every_assumption_has_a_source():
    notes = default_sources("pi5", ["image"])
    assert list(notes) == list(flat(PI5))
    assert all(source for _, source in notes.values())


def test_part_of_a_file_changes_only_that():
    found = changed(PI5, parse("[dense]\nms = 1500\n[pipeline]\nstages_ms = [200, 150.5]"))
    before, after = flat(PI5), flat(found)
    assert {key for key in before if before[key] != after[key]} == {"dense.ms", "pipeline.stages_ms"}
    assert after["pipeline.stages_ms"] == (200, 150.5)


@pytest.mark.parametrize(
    ("text", "section", "figure", "value"),
    [
        ("dense.usd_a_call=0.003", "dense", "usd_a_call", 0.003),
        ("dense.parameters=70e9", "dense", "parameters", 70_000_000_000),
        ("dense.ms=computed", "dense", "ms", "computed"),
        (" cascade.answers_on = server ", "cascade", "answers_on", "server"),
        ("pipeline.stages_ms=[200, 150]", "pipeline", "stages_ms", [200, 150]),
    ],
)
def test_one_from_the_command_line(text, section, figure, value):
    assert setting(text) == {section: {figure: value}}


@pytest.mark.parametrize("text", ["", "dense", "dense.ms", "dense=3", ".ms=3", "dense.=3", "dense.ms="])
def test_what_is_no_setting(text):
    with pytest.raises(UsageError, match="SECTION.FIGURE=VALUE"):
        setting(text)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("dense.usd_a_call = 0", "Expected more than 0 - at `dense.usd_a_call`"),
        ("pipeline.usd_a_call = -1", "pipeline.usd_a_call"),
        ("device.price_usd = 0.0", "device.price_usd"),
        ("gpu.usd_an_hour = 0", "gpu.usd_an_hour"),
        ("pipeline.stages_ms = []", "pipeline.stages_ms"),
        ("device.int8_macs_per_s = nan", "device.int8_macs_per_s"),
        ("device.int8_macs_per_s = inf", "device.int8_macs_per_s"),
        ("specialist.accuracy = 1.1", "specialist.accuracy"),
        ("dense.ms = 'fast'", "dense.ms"),
        ("vlm.precision = 'fp64'", "vlm.precision"),
        ("nothing.ms = 1", "no section 'nothing'"),
        ("dense.nothing = 1", "no figure dense.nothing"),
        ("dense = 3", "expected a table"),
        ("dense.active_parameters = 71000000000", "dense.active_parameters"),
        ("moe.top_k = 129", "129 of 128 experts"),
        ("moe.top_k = 128", "uses all 128 experts"),
        ("vlm.decoder_parameters = 300000000", "vlm.decoder_parameters"),
        ("server.network_p99_ms = 10", "server.network_p99_ms"),
        ("device.watts_busy = 1", "device.watts_busy"),
    ],
)
def test_what_is_refused(toml, said):
    with pytest.raises(DataError, match=said):
        changed(PI5, parse(toml))


def test_what_is_no_toml():
    with pytest.raises(DataError, match="no TOML"):
        parse("dense.ms = = 3")


def test_the_file_is_plain_toml():
    text = written(PI5, default_sources("pi5", ["image"]))
    assert tomllib.loads(text)["dense"]["parameters"] == 70_000_000_000
    assert "usd_a_kwh = 0.2  # USD; assumed" in text
