"""A vision-language model on the boards: its golden answers, and a question about a picture."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from device_tests import bundles
from edgekit.errors import EnvironmentLacks

VARIANTS = ["int8", "int8-tflite"]
TEAL = (128, 128, 0)  # BGR


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """The trained model of coloured shapes."""
    try:
        return bundles.export_shapes(tmp_path_factory.mktemp("shapes") / "shapes.edge")
    except EnvironmentLacks as error:
        pytest.skip(f"shapes-vlm: {error}")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A teal circle."""
    pixels = np.full((64, 64, 3), 243, np.uint8)
    cv2.circle(pixels, (30, 34), 14, TEAL, -1)
    path = tmp_path_factory.mktemp("picture") / "circle.png"
    cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture(scope="module")
def on_boards(boards):
    """Runs a command on all boards at once, one core each; board → what it printed."""

    def run(*arguments):
        with ThreadPoolExecutor(len(boards)) as pool:
            running = {name: pool.submit(board.edgekit, *arguments) for name, board in boards.items()}
        done = {name: run.result() for name, run in running.items()}
        assert {name: one.code for name, one in done.items()} == dict.fromkeys(boards, 0), done
        return {name: one.json() for name, one in done.items()}

    return run


@pytest.mark.device
def test_it_gives_its_golden_answers(on_boards, shapes):
    for name, made in on_boards("selftest", shapes, "--json").items():
        held = [(variant["name"], variant["ok"]) for variant in made["variants"]]
        assert (name, held) == (name, [(variant, True) for variant in VARIANTS])


@pytest.mark.device
def test_it_answers_about_a_picture(on_boards, shapes, picture):
    asked = "chat", shapes, "what color is the circle?", "--image", picture, "--json"
    for name, made in on_boards(*asked).items():
        assert (name, made["result"]["text"].strip()) == (name, "teal")
