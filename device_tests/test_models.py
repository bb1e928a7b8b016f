"""Real models on the boards: what the exporter makes of them here must come out there."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

TIMEOUT_S = 300
ENVIRONMENT_LACKS = 3
MODELS = {
    "efficientnet-lite0": (),
    "ppocr-v4": ("--calib", "rendered:pages?n=4&seed=1001", "--eval", "rendered:pages?n=4&seed=1"),
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
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode == ENVIRONMENT_LACKS:
        pytest.skip(f"{request.param}: {json.loads(done.stdout)['error']['message']}")
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.device
def test_int8_gives_the_same_bits(boards, exported):
    """On all boards at once: emulated convolutions take their time, and qemu has one core a process here."""
    args = ("selftest", exported, "--variant", "int8", "--threads", "1", "--json")
    with ThreadPoolExecutor(len(boards)) as pool:
        finished = dict(
            zip(
                boards,
                pool.map(lambda board: board.edgekit(*args, timeout_s=TIMEOUT_S), boards.values()),
                strict=True,
            )
        )
    for name, done in finished.items():
        assert done.code == 0, (name, done.stdout, done.stderr)
        (variant,) = done.json()["variants"]
        differ = [(g["picture"], g["max_abs"]) for g in variant["golden"] if not g["exact"]]
        assert (name, len(variant["golden"]) > 0, differ) == (name, True, [])
