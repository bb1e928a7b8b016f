"""Real models on the boards: what the exporter makes of them here must come out there."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from device_tests import bundles
from edgekit.bundle.reader import open_bundle
from edgekit.errors import EnvironmentLacks

GOLDEN = Path(__file__).parent / "on_device" / "golden.py"
TIMEOUT_S = 300


@dataclass(frozen=True)
class Case:
    """A named model.

    Attributes:
        name: in ``models/``.
        exact: roles of graphs that must be the same to the bit; others may keep layers with float activations.
        pictures: golden pictures to check; a detector takes an emulated board half a minute each.
        calibration: data, the model's own if empty.
        evaluation: the same.
    """

    name: str
    exact: frozenset[str]
    pictures: int
    calibration: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()


CASES = (
    Case("efficientnet-lite0", frozenset({"model"}), 3),
    Case(
        "ppocr-v4",
        frozenset(),
        1,
        ("rendered:pages?n=4&seed=1001",),
        ("rendered:pages?n=4&seed=1",),
    ),
)


@pytest.fixture(scope="session", params=CASES, ids=lambda case: case.name)
def exported(request, tmp_path_factory):
    """A named model and a bundle of it with an int8 variant."""
    case = request.param
    path = tmp_path_factory.mktemp(case.name) / "model.edge"
    try:
        bundles.export_quickly(case.name, path, case.calibration, case.evaluation)
    except EnvironmentLacks as error:
        pytest.skip(f"{case.name}: {error}")
    return case, path


def test_what_must_be_exact_is_asked_to_be(exported):
    case, path = exported
    expected = [e for golden in open_bundle(path).manifest.golden for e in golden.expected]
    assert case.exact <= {e.role for e in expected}
    assert {e.max_abs for e in expected if e.role in case.exact} <= {0.0}


@pytest.mark.device
def test_golden_pictures_hold(boards, exported):
    """On all boards at once: emulated convolutions take their time, one core each."""
    case, path = exported
    with ThreadPoolExecutor(len(boards)) as pool:
        running = [
            pool.submit(board.run, GOLDEN, path, "int8", str(case.pictures), timeout_s=TIMEOUT_S)
            for board in boards.values()
        ]
    for name, run in zip(boards, running, strict=True):
        assert run.result().code == 0, (name, run.result().stderr)
        golden = run.result().json()["golden"]
        assert (name, [g["problem"] for g in golden]) == (name, [""] * case.pictures)
