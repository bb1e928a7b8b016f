"""The same bits on every processor: decoding, pre-processing, and the engine on int8 graphs."""

import signal
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from device_tests import cpus, graphs

ON_DEVICE = Path(__file__).parent / "on_device"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A JPEG and a PNG of the same noise."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (61, 83, 3), dtype=np.uint8)
    for name in ("noise.jpg", "noise.png"):
        cv2.imwrite(str(folder / name), cv2.GaussianBlur(pixels, (0, 0), 2))
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def exact_graphs(tmp_path_factory):
    return graphs.write(graphs.EXACT, tmp_path_factory.mktemp("graphs") / "exact")


@pytest.fixture(scope="session")
def inexact_graphs(tmp_path_factory):
    return graphs.write(graphs.INEXACT, tmp_path_factory.mktemp("graphs") / "inexact")


def digests(device, script, *args):
    done = device.run(ON_DEVICE / script, *args)
    assert done.code == 0, done.stderr
    return done.json()


@pytest.fixture(scope="session")
def host_pixels(host, pictures):
    return digests(host, "pixels.py", *pictures)


@pytest.fixture(scope="session")
def host_graphs(host, exact_graphs):
    return digests(host, "graphs.py", exact_graphs)


def test_pictures_are_decoded_and_prepared_to_the_same_bits(processor, pictures, host_pixels):
    assert digests(processor, "pixels.py", *pictures) == host_pixels


def test_int8_graphs_give_the_same_bits(processor, exact_graphs, host_graphs):
    assert digests(processor, "graphs.py", exact_graphs) == host_graphs


def test_threads_change_nothing(host_graphs):
    assert {
        host_graphs[f"{name}, 1 threads"] == host_graphs[f"{name}, 2 threads"] for name in graphs.EXACT
    } == {True}


def test_a_graph_that_differs_is_seen_to_differ(processor, host, inexact_graphs):
    """The control: ties of sums are rounded differently on ARM, so the harness must see it there, and only there."""
    same = digests(processor, "graphs.py", inexact_graphs) == digests(host, "graphs.py", inexact_graphs)
    assert same == (processor.name == "avx2")


def test_an_instruction_that_the_processor_lacks_stops(sysroot, site, exact_graphs, tmp_path):
    """The control: the engine picks a Cortex-A76's dot product by /proc/cpuinfo, and a Cortex-A72 has none."""
    pi5 = sysroot.device(cpus.PI5, site, tmp_path)
    a72 = tuple(cpus.PI4.model if part == cpus.PI5.model else part for part in pi5.python)
    assert replace(pi5, python=a72).run(ON_DEVICE / "graphs.py", exact_graphs).code == -signal.SIGILL
