"""An environment as older images have it: numpy 1, tflite-runtime 2.14 and OpenCV with windows, no onnxruntime.

``docs/engines.md`` tells people to make it this way.
"""

import sys

import cv2
import numpy as np
import pytest

from device_tests import wheels
from device_tests.emulator import Device
from device_tests.unavailable import Unavailable, call
from edgekit.cli import main
from tests.tflite_bundles import COLOURS, mlperf_networks, tiny_networks, write_classifier

REQUIREMENTS = (
    "numpy<2",
    "tflite-runtime==2.14.0",
    "opencv-python>=4.10,<4.12",
    "msgspec>=0.19,<1",
    "rich>=13.7,<15",
)
VENV_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def older(site, tmp_path_factory):
    """That environment, with edgekit's wheel put in without its dependencies."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("tflite-runtime 2.14 has wheels for Python up to 3.11")
    folder = tmp_path_factory.mktemp("older")
    try:
        call([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], VENV_TIMEOUT_S)
        python = folder / "venv" / "bin" / "python"
        wheels.install_for(python, REQUIREMENTS)
    except Unavailable as reason:
        pytest.skip(f"no environment of tflite-runtime 2.14: {reason}")
    return Device("older", (str(python),), (site,), folder)


@pytest.fixture(scope="module", params=["tiny", "person", "cifar10", "wrapped"])
def bundle(request, tmp_path_factory):
    """Recorded with the newer library, whose int8 kernels round otherwise: so with a tolerance."""
    networks, labels = tiny_networks(), COLOURS
    path = tmp_path_factory.mktemp(request.param) / "model.edge"
    if request.param != "tiny":
        folder = request.getfixturevalue("test_data") / "mlperf_tiny"
        if not folder.is_dir():
            pytest.skip(f"test data absent: {folder}")
        if request.param == "wrapped":
            source = folder / "pretrainedResnet_quant.tflite"
            assert main(["export", str(source), "-o", str(path), "--resize", "stretch", "--json"]) == 0
            return path
        networks, labels = mlperf_networks(request.param, folder)
    return write_classifier(path, networks, labels, exact=False)


def test_doctor_names_what_is_there_and_what_is_not(older):
    report = older.edgekit("doctor", "--json").json()
    found = {f["what"]: (f["ok"], f["detail"]) for f in report["findings"]}
    assert found["engine litert"] == (True, "2.14.0 (tflite-runtime)")
    assert not found["engine onnxruntime"][0]
    versions = report["machine"]["versions"]
    assert (versions["numpy"][:2], versions["tflite-runtime"]) == ("1.", "2.14.0")
    assert "opencv-python" in versions and "opencv-python-headless" not in versions


def test_selftest_holds(older, bundle):
    done = older.edgekit("selftest", bundle, "--json")
    assert done.code == 0, done.stdout + done.stderr
    assert {v["engine"] for v in done.json()["variants"]} == {"litert 2.14.0 (tflite-runtime)"}


def test_run_gives_what_the_newer_library_gives(older, host, bundle, tmp_path):
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((160, 240, 3), (200, 20, 10), np.uint8))
    one, other = (d.edgekit("run", bundle, tmp_path / "blue.png", "--json") for d in (older, host))
    assert (one.code, one.stderr) == (0, "")
    assert one.json()["result"]["top"][0]["label"] == other.json()["result"]["top"][0]["label"]


def test_a_file_that_ends_the_interpreter_leaves_the_command_alive(older, test_data):
    done = older.edgekit("run", test_data / "breakers" / "keyword_scrambled_8bit.tflite", "x.png")
    assert (done.code, len(done.stderr.splitlines())) == (2, 1)
