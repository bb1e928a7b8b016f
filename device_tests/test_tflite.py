"""TFLite files on devices: the same bits in int8, a trial in a child process, and the commands on top."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.tflite_bundles import COLOURS, tiny_networks, write_classifier

ON_DEVICE = Path(__file__).parent / "on_device"
INT8 = ("vww_96_int8", "pretrainedResnet_quant", "kws_ref_model", "ad01_int8", "str_ww_ref_model")
FLOAT = ("vww_96_float", "pretrainedResnet")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A bundle with an int8 and a full-precision variant."""
    return write_classifier(tmp_path_factory.mktemp("tflite") / "tiny.edge", tiny_networks(), COLOURS)


@pytest.fixture(scope="session")
def files(test_data):
    """MLPerf Tiny's trained networks."""
    folder = test_data / "mlperf_tiny"
    if not folder.is_dir():
        pytest.skip(f"test data absent: {folder}")
    return [folder / f"{name}.tflite" for name in (*INT8, *FLOAT)]


def outputs(device, files):
    done = device.run(ON_DEVICE / "tflite.py", *files)
    assert done.code == 0, done.stderr
    return done.json()


@pytest.fixture(scope="session")
def host_outputs(host, files):
    return outputs(host, files)


def test_int8_gives_the_same_bits_and_floats_nearly(processor, files, host_outputs):
    found = outputs(processor, files)
    assert found.keys() == host_outputs.keys()
    for case, values in found.items():
        if case.split(",")[0] in INT8:
            assert (case, values) == (case, host_outputs[case])
        else:
            assert np.abs(np.subtract(values, host_outputs[case])).max() < 1e-5, case


def test_threads_change_nothing(host_outputs):
    for name in INT8:
        assert host_outputs[f"{name}, 1 threads"] == host_outputs[f"{name}, 2 threads"], name


def test_selftest_holds_and_the_trial_is_remembered(device, tiny):
    """The child runs on the device as well; the second time nothing is tried."""
    done = device.edgekit("selftest", tiny, "--json")
    assert done.code == 0, done.stderr
    int8, fp32 = done.json()["variants"]
    assert (int8["ok"], int8["exact"], fp32["ok"]) == (True, True, True)
    assert int8["engine"].startswith("litert ")
    assert len(list((device.home / "cache" / "trials").iterdir())) == 2


def test_a_file_that_ends_the_interpreter_leaves_the_command_alive(device, test_data):
    done = device.edgekit("run", test_data / "breakers" / "keyword_scrambled_8bit.tflite", "x.png", "--json")
    assert (done.code, json.loads(done.stdout)["error"]["kind"], len(done.stderr.splitlines())) == (
        2,
        "model",
        1,
    )
