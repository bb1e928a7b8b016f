"""ai-edge-quantizer's own recipes for TFLite graphs, with its own calibration."""

from __future__ import annotations

import sys
from functools import partial

from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

from benchmarks.quantiser_peers.job import Job, run

NAMES = (
    "static_wi8_ai8",
    "dynamic_wi8_afp32",
    "weight_only_wi8_afp32",
    "weight_only_wi4_afp32",
)


def quantised(job: Job, name: str) -> None:
    """One of its recipes, calibrated where it asks for that."""
    made = quantizer.Quantizer(str(job.model), getattr(recipe, name)())
    signature = next(iter(Interpreter(str(job.model)).get_signature_list()))
    found = made.calibrate({signature: list(job.samples())}) if made.need_calibration else None
    made.quantize(found).export_model(str(job.out))


RECIPES = {name: partial(quantised, name=name) for name in NAMES}

if __name__ == "__main__":
    sys.exit(run(RECIPES, ("ai-edge-quantizer", "ai-edge-litert")))
