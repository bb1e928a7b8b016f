import json
import re
import tomllib
from pathlib import Path

import pytest
from msgspec.structs import replace

from edgekit.catalog.cards import load_card
from edgekit.cli import main
from edgekit.cli.decide_options import parse_amount
from edgekit.errors import UsageError

DOC = Path(__file__).resolve().parents[2] / "docs" / "decide.md"
INVOICES = "--per-month 10M --inputs-at server --set dense.ms=1500 --set dense.usd_a_call=0.003"


def decided(capsys, arguments, code=0):
    assert main(["decide", *arguments.split(), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def table(capsys, arguments, code=0):
    assert main(["decide", *arguments.split()]) == code
    return capsys.readouterr().out


def refused(capsys, arguments):
    assert main(["decide", *arguments.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def option(body, name):
    return {one["name"]: one for one in body["options"]}[name]


def test_invoices(capsys):
    body = decided(capsys, INVOICES)
    assert body["recommended"] == "server-pipeline"
    pipeline, dense = option(body, "server-pipeline"), option(body, "server-dense")
    assert (pipeline["latency_ms"]["p50"], dense["latency_ms"]["p50"]) == (350, 1500)
    assert pipeline["usd_a_month"] == pytest.approx(5_000)
    assert dense["usd_a_month"] == pytest.approx(30_000)
    beside = {one["other"]: one for one in body["compared"]}["server-dense"]
    assert beside["faster"] == pytest.approx(4.29, abs=0.01)
    assert (beside["cheaper"], beside["saved_usd_a_month"]) == pytest.approx((6, 25_000))


def test_a_day_of_a_million_requests(capsys):
    for price, a_day in ((0.02, 20_000), (0.05, 50_000)):
        body = decided(capsys, f"--per-day 1M --set dense.usd_a_call={price}")
        assert option(body, "server-dense")["usd_a_day"] == pytest.approx(a_day)


@pytest.mark.parametrize("condition", ["--offline", "--private", "--max-latency 100ms", "--max-latency 60ms"])
def test_the_device_is_mandatory(capsys, condition):
    body = decided(capsys, f"--per-day 5k {condition}")
    assert (body["mandatory"], body["recommended"]) == ("device", "device-specialist")
    assert [bool(one["ruled_out"]) for one in body["options"] if one["place"] == "server"] == [True] * 3


def test_accuracy_paramount(capsys):
    assert decided(capsys, "--per-day 5k --accuracy paramount")["mandatory"] == "server"


def test_smolvlm_in_50_mb(capsys):
    body = decided(capsys, "--per-day 5k --offline --open-ended --max-size 50MB", code=1)
    (against,) = option(body, "device-vlm")["ruled_out"]
    assert against["constraint"] == "size"
    assert "256,484,928 parameters in 50 MB leave 1.56 bits a weight" in against["why"]


def test_the_table_says_what_rules_and_what_was_assumed(capsys):
    out = table(capsys, "--per-day 20k --max-latency 100ms")
    assert "600,000 calls a month (20,000 a day), image, 99 of 100 within 100 ms, 1 x pi5" in out
    assert re.search(r"device-specialist +~46 +~59 +153 .*recommended", out)
    assert "ruling constraint: latency" in out
    assert re.search(r"device-specialist costs less than server-pipeline from +8,611 calls a month", out)
    assert re.search(r"around.usd_a_kwh +0.2 +USD +assumed", out)
    assert re.search(r"busiest GPU has 1\.31 times its part of a batch in the median step, 1\.69 in the", out)


def listed(out):
    return re.findall(r"^ ([a-z0-9]+\.[a-z0-9_]+) ", out, flags=re.M)


def test_only_assumptions_that_count_are_listed(capsys):
    out = table(capsys, "--per-day 200 --set gpu.watts_idle=260 --vlm smollm2-135m")
    keys = listed(out)
    assert "pipeline.accuracy" in keys  # of what is recommended
    assert re.search(r"device.price_usd +80 +USD +device-specialist at 3\d\.\d or less +raspberrypi.com", out)
    assert re.search(r"gpu.watts_idle +260 +W +yours", out)
    assert re.search(r"vlm.parameters +134,515,008 +card of smollm2-135m", out)
    assert "moe.accuracy" not in keys
    left = 84 - len(keys)
    assert (
        f"{left} more neither enter into what is recommended nor would turn it, each by itself, within a"
        in out
    )
    body = decided(capsys, "--per-day 200")["assumptions"]
    assert body["moe.accuracy"]["used"] is False
    assert body["moe.accuracy"]["turns"] == []
    assert body["device.price_usd"]["turns"][0]["to"] == "device-specialist"


def test_all_assumptions_are_listed(capsys):
    out = table(capsys, "--per-day 200 --all")
    assert len(listed(out)) == 84
    assert "more neither" not in out
    everything = table(capsys, "--per-day 5k --offline --open-ended --max-size 50MB", code=1)
    assert listed(everything) == []
    assert "84 more neither" in everything


def test_what_turns_it_is_told_in_words(capsys):
    out = table(capsys, "--per-day 20k --max-latency 100ms")
    assert re.search(r"device.overhead_ms +10 +ms +nothing holds at 41\.\d or more +assumed", out)
    assert re.search(r"specialist.precision +int8 .*nothing holds with fp16", out)


def test_nothing_holds(capsys):
    out = table(capsys, "--per-day 5k --offline --accuracy paramount --error-cost 2 --budget 500", code=1)
    assert "recommended: none" in out
    assert "without accuracy, device-specialist would hold" in out
    assert "none: the same options are cheaper at every volume" in out


def test_assumptions_are_written_changed_and_read(capsys, tmp_path):
    path = tmp_path / "ours.toml"
    assert main(["decide", "--device", "pi4", "--write-assumptions", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)["device"]["name"] == "pi4"
    path.write_text(text.replace("usd_a_kwh = 0.2 ", "usd_a_kwh = 0.4 "), encoding="utf-8")
    capsys.readouterr()
    body = decided(capsys, f"--per-day 5k --assumptions {path} --set pipeline.usd_a_call=0.001")
    told = body["assumptions"]
    assert told["device.name"]["value"] == "pi4"
    assert told["around.usd_a_kwh"] == {
        "value": 0.4,
        "unit": "USD",
        "source": "yours",
        "used": True,
        "turns": [],
    }
    assert told["pipeline.usd_a_call"]["source"] == "yours"
    assert told["pipeline.watts"]["source"].startswith("assumed")


def test_a_vision_language_model_of_the_catalogue(capsys):
    told = decided(capsys, "--per-day 5k --vlm shapes-vlm")["assumptions"]
    parameters = told["vlm.parameters"]["value"]
    assert told["vlm.parameters"]["source"] == "card of shapes-vlm"
    assert told["vlm.decoder_parameters"]["value"] == pytest.approx(parameters * 134.6 / 256.48, rel=0.001)
    assert told["vlm.tower_operations"]["value"] == pytest.approx(parameters * 100e9 / 256_484_928)


def test_a_language_model_of_the_catalogue_sees_nothing(capsys):
    body = decided(capsys, "--per-day 5k --vlm smollm2-135m --open-ended")
    assert [one["constraint"] for one in option(body, "device-vlm")["ruled_out"]] == ["modality"]
    text = decided(capsys, "--per-day 5k --vlm smollm2-135m --open-ended --modalities text")
    assert option(text, "device-vlm")["ruled_out"] == []
    assert text["assumptions"]["vlm.decoder_parameters"] == text["assumptions"]["vlm.parameters"] | {
        "unit": "a token"
    }


def test_a_specialist_of_the_catalogue(capsys, monkeypatch):
    card = load_card("efficientnet-lite0")
    monkeypatch.setattr("edgekit.catalog.cards.load_card", lambda name: replace(card, operations=407_000_000))
    told = decided(capsys, "--per-day 5k --specialist efficientnet-lite0")["assumptions"]
    assert told["specialist.parameters"]["value"] == 4_652_008
    operations = told["specialist.operations"]
    assert (operations["value"], operations["unit"]) == (407e6, "an input")
    assert operations["source"] == "card of efficientnet-lite0"
    monkeypatch.setattr("edgekit.catalog.cards.load_card", lambda name: replace(card, operations=None))
    assert "does not tell its operations" in refused(capsys, "--per-day 5 --specialist efficientnet-lite0")


def test_both_at_once(capsys, tmp_path):
    path = tmp_path / "all.toml"
    body = decided(capsys, f"--per-day 5k --set dense.ms=900 --write-assumptions {path}")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["dense"]["ms"] == 900
    assert body["recommended"] == "device-specialist"


def test_a_plot(capsys, tmp_path):
    path = tmp_path / "cost.svg"
    decided(capsys, f"--per-day 5k --offline --plot {path}")
    svg = path.read_text(encoding="utf-8")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="960"')
    assert svg.count("<polyline") == 6
    assert "device-specialist costs less than server-pipeline from 8,611 calls a month" in svg
    assert "server-dense (ruled out)" in svg


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "no volume"),
        ("--per-day -5", "above 0"),
        ("--per-month 0", "above 0"),
        ("--per-day nan", "above 0"),
        ("--per-day 1e99", "at most"),
        ("--per-day 5 --per-month 5", "not allowed with"),
        ("--per-day 5 --offline --inputs-at server", "contradicts itself"),
        ("--per-day 5 --private --inputs-at server", "contradicts itself"),
        ("--per-day 5 --budget 0", "above 0"),
        ("--per-day 5 --error-cost -1", "--error-cost"),
        ("--per-day 5 --max-latency 0ms", "duration"),
        ("--per-day 5 --modalities smell", "smell"),
        ("--per-day 5 --device pi9", "pi9"),
        ("--per-day 5 --vlm nothing", "nothing"),
        ("--per-day 5 --vlm efficientnet-lite0", "write --specialist efficientnet-lite0"),
        ("--per-day 5 --specialist smollm2-135m", "write --vlm smollm2-135m"),
        ("--per-day 5 --specialist whisper-small.en", "it takes sound, and an input is image"),
        ("--per-day 5 --specialist yolov8n --modalities text", "write --modalities image"),
        ("--per-day 5 --set dense.usd_a_call=0", "dense.usd_a_call"),
        ("--per-day 5 --set dense.price=1", "no figure dense.price"),
        ("--per-day 5 --set dense", "SECTION.FIGURE=VALUE"),
        ("--per-day 5 --assumptions /nowhere.toml", "/nowhere.toml"),
    ],
)
def test_bad_input(capsys, arguments, said):
    assert said in refused(capsys, arguments)


def test_a_device_that_is_set_by_its_name_is_that_device(capsys):
    named = decided(capsys, "--per-day 5k --set device.name=pi4")
    assert named["options"] == decided(capsys, "--per-day 5k --device pi4")["options"]
    assert named["assumptions"]["device.price_usd"]["value"] == 55
    assert "the assumptions are of pi4" in refused(capsys, "--per-day 5 --device pi5 --set device.name=pi4")
    assert "pi9" in refused(capsys, "--per-day 5 --set device.name=pi9")


def test_a_file_of_another_device_contradicts(capsys, tmp_path):
    path = tmp_path / "pi4.toml"
    path.write_text('[device]\nname = "pi4"\n', encoding="utf-8")
    assert "the assumptions are of pi4" in refused(capsys, f"--per-day 5 --device pi5 --assumptions {path}")
    path.write_text("[device]\nname = 4\n", encoding="utf-8")
    assert "device.name" in refused(capsys, f"--per-day 5 --assumptions {path}")
    path.write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused(capsys, f"--per-day 5 --assumptions {path}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10M", 10e6),
        ("250k", 250e3),
        ("1e6", 1e6),
        ("1,000,000", 1e6),
        ("0.003", 0.003),
        (".5", 0.5),
        ("2G", 2e9),
    ],
)
def test_an_amount(text, value):
    assert parse_amount(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "ten", "1 million", "1e", "inf", "nan", "10m"])
def test_no_amount(text):
    with pytest.raises(UsageError, match="above 0"):
        parse_amount(text)


def documented():
    text = DOC.read_text(encoding="utf-8")
    return re.findall(r"^\$ edgekit (decide (?:.*\\\n)*.*)\n((?:.*\n)*?)```", text, flags=re.M)


@pytest.mark.parametrize(("command", "output"), documented(), ids=range(len(documented())))
def test_what_the_page_prints_is_what_is_printed(capsys, command, output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(command.replace("\\\n", " ").split())
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert output.strip()
    assert [line for line in output.splitlines() if line.strip() and line not in printed] == []
