from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import Card
from edgekit.evaluation.origin import AgreementMatrix, GraphOrigin, Histogram, LayerNoise, Stages, Step
from edgekit.evaluation.outcome import (
    Data,
    Evaluation,
    Finding,
    Flips,
    GoldenCheck,
    Look,
    Measure,
    Slice,
    Worst,
)
from edgekit.evaluation.subject import Subject
from edgekit.machine import Machine
from edgekit.report.accuracy import Report, report_of


def _subject(variant: str, size: int) -> Subject:
    return Subject(
        "lite0",
        f"{variant}.edge",
        size + 999,
        "cd" * 32,
        variant,
        "recipe_" + variant,
        variant,
        size,
        "engine 1",
        1,
    )


@pytest.fixture
def report() -> Callable[..., Report]:
    """A report; keyword arguments replace fields of its evaluation, ``cannot`` and ``title`` those of its card."""
    jpeg = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()

    def make(cannot: tuple[str, ...] = ("count things",), title: str = "Lite <0>", **changes: Any) -> Report:
        fields: dict[str, Any] = {
            "task": "classify", "metric": "top1", "meaning": "share of right ones", "n": 1000, "clusters": 500,
            "unit": "source", "reference": 88.0, "candidate": 87.2, "drop": 0.8, "interval": (-0.1, 1.7),
            "flips": Flips(34, 21, 13), "agreement": 96.6, "agreement_interval": (95.2, 97.6), "mcnemar_p": None,
            "sqnr_db": 21.46, "sqnr_n": 990, "identical": False, "verdict": "PASS",
            "reason": "the drop is at most 1.70 points, within the limit of 2", "max_drop": 2.0, "needed_n": None,
            "least_n": 149, "data": Data(("photos?crops=2",), "ab" * 32, "label"),
            "worst": (Worst("a|b.jpg#1", "cat", "cat (0.9)", "<script>", 1.5, True, 7, "blur", jpeg),
                      Worst("c.jpg", None, "dog", "dog", 0.5, False)),
        }  # fmt: skip
        card = Card(title, "classify", "photos", ("en",), "any", cannot, "Apache-2.0", "test", 4_652_008)
        machine = Machine("Test CPU", "x86_64", 2, ("avx2",), "3.11.9", {"numpy": "2.4.6"})
        return report_of(
            Evaluation(**{**fields, **changes}),
            reference=_subject("fp32", 18_600_000),
            candidate=_subject("int8", 5_190_000),
            machine=machine,
            card=card,
        )

    return make


def origin() -> GraphOrigin:
    """Noise of a graph of four layers; ``late`` is the noisiest and ``even`` equal to the bit."""
    return GraphOrigin(
        32,
        (
            LayerNoise("first", "Conv", "int8", 50.0, 45.0),
            LayerNoise("hurts", "Conv", "int8", 15.5, 30.0),
            LayerNoise("even", "Clip", "int8", None, None),
            LayerNoise("late", "Gemm", "int8", 40.0, 12.25),
        ),
        Histogram("late", (-1.0, 0.0, 1.0), (90, 10), (70, 30)),
        Stages(
            16,
            {"all": Step(3.1e-05, 98.2), "none": Step(0.0, None)},
            {"all": Step(1.8, 21.4), "none": Step(1.9, 21.3)},
            Step(0.1, 44.0),
        ),
    )


@pytest.fixture
def full(report: Callable[..., Report]) -> Callable[..., Report]:
    """A report with everything in it; keyword arguments as of ``report``, and ``graphs``, ``matrix``."""

    def make(**changes: Any) -> Report:
        origins = {key: changes.pop(key) for key in ("graphs", "matrix") if key in changes}
        classes = tuple(
            Slice("class", f"class {i:02d}", 25, 25, 90.0, 90.0 - i, float(i), (i - 20.0, i + 20.0), i)
            for i in range(30)
        )
        others = (
            Slice("condition", "blur", 1000, 500, 80.0, 77.5, 2.5, (0.5, 4.5), 60),
            Slice("condition", "jpeg", 1000, 500, 80.0, 82.0, -2.0, (-3.5, -0.5), 50),
            Slice("group", "night", 200, 200, 85.0, 84.0, 1.0, (-2.0, 4.0), 9),
        )
        fields: dict[str, Any] = {
            "measures": (
                Measure("top5", "label among the best five", "points", 97.9, 97.6, 0.3, (-0.05, 0.7)),
                Measure("kl", "divergence of the scores", "nats", None, None, 0.0213, (0.019, 0.0241)),
                Measure("auc", "area under the curve", "points", 99.1, 99.0, 0.1, None),
            ),
            "slices": (*classes, *others),
            "looks": (Look(250, 0.9987, (-2.1, 4.6), "INCONCLUSIVE"), Look(1000, 0.96, (-0.1, 1.7), "PASS")),
            "golden": GoldenCheck(4, 0, 3, ""),
            **changes,
        }
        matrix = AgreementMatrix(("fp32", "int8"), ((100.0, 96.6), (96.6, 100.0)), 1000)
        return replace(report(**fields), **{"graphs": {"model": origin()}, "matrix": matrix, **origins})

    return make


BROKEN: dict[str, Any] = {
    "verdict": "FAIL", "drop": 56.5, "interval": (53.1, 59.8), "candidate": 31.5,
    "reason": "the drop is at least 53.10 points, over the limit of 2",
    "findings": (Finding("channel order", "model", "exchanged, 962 of 1,000 agree", 0.987),
                 Finding("CTC alphabet", "recognize", "shifted by one.")),
    "golden": GoldenCheck(4, 2, 1, "golden/0.png: scores differ by 1.25, allowed 0.02"),
}  # fmt: skip


@pytest.fixture
def broken(full: Callable[..., Report]) -> Report:
    """A full report of a candidate whose channels are in the wrong order."""
    return full(**BROKEN)
