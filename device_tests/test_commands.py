"""The command line on devices: what a person would do with a bundle there, and what happens with a bad one."""

import json

import cv2
import numpy as np
import pytest

from device_tests import bundles

FRAMES = 3


@pytest.fixture(scope="session")
def forms(tmp_path_factory):
    """A bundle with an int8 and a full-precision variant."""
    folder = tmp_path_factory.mktemp("forms")
    bundles.write_forms(folder / "forms.edge", folder / "members")
    return folder / "forms.edge"


@pytest.fixture(scope="session")
def spoilt(tmp_path_factory):
    """The same bundle, with golden outputs that no device gives."""
    folder = tmp_path_factory.mktemp("spoilt")
    bundles.write_forms(folder / "spoilt.edge", folder / "members", bundles.spoil)
    return folder / "spoilt.edge"


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder of pictures of different sizes and formats."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.Generator(np.random.PCG64(5))
    for i, (width, height, ending) in enumerate(((64, 48, "png"), (50, 90, "jpg"), (120, 60, "png"))):
        cv2.imwrite(str(folder / f"{i}.{ending}"), rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    return folder


def lines(finished):
    assert finished.code == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_help(device):
    done = device.edgekit("--help")
    assert (done.code, done.stderr) == (0, "")
    assert "selftest" in done.stdout


def test_selftest_is_exact_in_int8_and_within_tolerance_in_float(processor, forms):
    (report,) = lines(processor.edgekit("selftest", forms, "--json"))
    int8, fp32 = report["variants"]
    assert (int8["name"], int8["ok"], int8["exact"]) == ("int8", True, True)
    assert (fp32["name"], fp32["ok"]) == ("fp32", True)
    assert all(g["allowed"] > 0 and g["max_abs"] <= g["allowed"] for g in fp32["golden"])


def test_selftest_refuses_other_golden_vectors(device, spoilt):
    """The control: without it, a self-test that always holds would pass."""
    done = device.edgekit("selftest", spoilt, "--json")
    assert done.code == 1, done.stderr
    assert [v["ok"] for v in done.json()["variants"]] == [False, True]


def test_run_gives_what_the_host_gives(device, host, forms, photos):
    mine, hosts = (lines(d.edgekit("run", forms, photos, "--json")) for d in (device, host))
    assert len(mine) == len(hosts) == 3
    for one, other in zip(mine, hosts, strict=True):
        assert (one["input"], one["variant"], one["result"]) == (other["input"], "int8", other["result"])


def test_validate_against_recorded_predictions_says_what_the_host_says(device, host, forms, photos, tmp_path):
    recorded, data = tmp_path / "reference.predictions", f"{photos}?crops=8"
    made = host.edgekit("validate", forms, "--variant", "fp32", "--data", data, "--record", recorded)
    assert made.code == 0, made.stderr
    args = ("validate", forms, "--against", recorded, "--data", data, "--max-drop", "90%", "--json")
    there, here = (d.edgekit(*args) for d in (device, host))
    assert there.code == here.code, there.stderr
    mine, hosts = there.json(), here.json()
    assert (mine["n"], mine["clusters"]) == (24, 3)
    for key in (
        "verdict",
        "reason",
        "drop",
        "interval",
        "flips",
        "agreement",
        "sqnr_db",
        "measures",
        "golden",
    ):
        assert mine[key] == hosts[key], key
    assert mine["flips"]["changed"] > 0  # a random network's int8: something to compare
    assert mine["machine"]["architecture"] != hosts["machine"]["architecture"]


@pytest.mark.parametrize("source", ["synthetic:?fps=200&seconds=1&size=64x48", "photos"])
def test_camera_accounts_for_every_frame(device, forms, photos, source):
    spec = photos if source == "photos" else source
    done = device.edgekit("camera", forms, "--source", spec, "--unpaced", "--frames", str(FRAMES), "--json")
    (summary,) = lines(done)
    frames = summary["frames"]
    assert frames["processed"] == FRAMES
    assert frames["read"] == frames["processed"] + sum(frames["dropped"].values())
    assert summary["latency_ms"]["total"]["p50"] > 0


def test_inspect_and_verify(device, forms):
    (inspected,) = lines(device.edgekit("inspect", forms, "--json"))
    assert inspected["name"] == "forms"
    assert device.edgekit("verify", forms).code == 0


def test_a_damaged_bundle_is_one_line_and_exit_code_2(device, forms, tmp_path):
    damaged = bytearray(forms.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.edge").write_bytes(damaged)
    done = device.edgekit("selftest", tmp_path / "damaged.edge", "--json")
    assert (done.code, done.json()["error"]["kind"], len(done.stderr.splitlines())) == (2, "bundle", 1)


def test_a_missing_bundle_is_one_line_and_exit_code_2(device):
    done = device.edgekit("selftest", "nowhere.edge")
    assert (done.code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
