from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from edgekit.bundle.manifest import Card
from edgekit.evaluation.outcome import Data, Evaluation, Flips, Worst
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
