"""Real models on the boards: what the exporter makes of them here must come out there."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
        quantize: what its recipe shall say instead.
    """

    name: str
    exact: frozenset[str]
    pictures: int
    calibration: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()
    quantize: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}, {'of its own recipe' if not self.quantize else 'every width of weight'}"


WIDTHS = {
    "mode": "weight8",
    "wide": (),
    "modes": {f"conv{i}": f"weight{6 + i % 9}" for i in range(49)} | {"scores": "weight16"},
}
"""Layers of 6 to 14 and 16 bits in turn: every way in which a graph unpacks weights."""
CASES = (
    Case("efficientnet-lite0", frozenset({"model"}), 3),
    Case(
        "ppocr-v4",
        frozenset(),
        1,
        ("rendered:pages?n=4&seed=1001",),
        ("rendered:pages?n=4&seed=1",),
    ),
    Case("efficientnet-lite0", frozenset(), 1, quantize=WIDTHS),
)


@pytest.fixture(scope="session", params=CASES, ids=str)
def exported(request, tmp_path_factory):
    """A named model and a bundle of it with an int8 variant."""
    case = request.param
    path = tmp_path_factory.mktemp(case.name) / "model.edge"
    try:
        bundles.export_quickly(case.name, path, case.calibration, case.evaluation, case.quantize)
    except EnvironmentLacks as error:
        pytest.skip(f"{case.name}: {error}")
    return case, path


def test_what_must_be_exact_is_asked_to_be(exported):
    case, path = exported
    expected = [e for golden in open_bundle(path).manifest.golden for e in golden.expected]
    assert case.exact <= {e.role for e in expected}
    assert {e.max_abs for e in expected if e.role in case.exact} <= {0.0}


@pytest.fixture(scope="session")
def outcomes(boards, exported):
    """What each board says of the golden pictures; all boards at once, one core each."""
    case, path = exported
    with ThreadPoolExecutor(len(boards)) as pool:
        running = {
            name: pool.submit(board.run, GOLDEN, path, "int8", str(case.pictures), timeout_s=TIMEOUT_S)
            for name, board in boards.items()
        }
    assert {name: run.result().code for name, run in running.items()} == dict.fromkeys(boards, 0), running
    return {name: run.result().json() for name, run in running.items()}


@pytest.mark.device
def test_the_boards_decide_as_the_host_did(exported, outcomes):
    for name, golden in outcomes.items():
        assert len(golden) == exported[0].pictures
        assert (name, [g["decided"] for g in golden]) == (name, [g["expected"] for g in golden])


@pytest.mark.device
def test_selftest_holds(exported, outcomes):
    assert {name: [g["problem"] for g in golden] for name, golden in outcomes.items()} == {
        name: [""] * exported[0].pictures for name in outcomes
    }
