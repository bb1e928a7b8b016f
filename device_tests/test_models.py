"""Real models on the boards: what the exporter makes of them here must come out there."""

import json
import subprocess
import sys

import pytest

EXPORT_TIMEOUT_S = 300
SELFTEST_TIMEOUT_S = 300
ENVIRONMENT_LACKS = 3
MODELS = {
    "efficientnet-lite0": (),
    "ppocr-v4-rec": ("--calib", "rendered:lines?n=32&seed=1001", "--eval", "rendered:lines?n=16&seed=1"),
}
"""Name → options that keep the export short: accuracy is measured elsewhere, here the arithmetic counts."""


@pytest.fixture(scope="session", params=MODELS)
def exported(request, tmp_path_factory):
    """A bundle of a named model with an int8 variant."""
    path = tmp_path_factory.mktemp(request.param) / "model.edge"
    command = [sys.executable, "-m", "edgekit", "export", request.param, "-o", str(path), "--recipe", "int8"]
    done = subprocess.run(
        [*command, "--limit", "16", *MODELS[request.param], "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=EXPORT_TIMEOUT_S,
        check=False,
    )
    if done.returncode == ENVIRONMENT_LACKS:
        pytest.skip(f"{request.param}: {json.loads(done.stdout)['error']['message']}")
    assert done.returncode == 0, done.stderr
    return path


def test_int8_gives_the_same_bits(device, exported):
    done = device.edgekit("selftest", exported, "--variant", "int8", "--json", timeout_s=SELFTEST_TIMEOUT_S)
    assert done.code == 0, done.stdout + done.stderr
    (variant,) = done.json()["variants"]
    assert variant["golden"]
    assert [(g["exact"], g["max_abs"]) for g in variant["golden"]] == [(True, 0.0)] * len(variant["golden"])
