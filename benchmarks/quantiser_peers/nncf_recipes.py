"""NNCF's ONNX backend: post-training quantisation by both presets, with control of accuracy, and weights alone."""

from __future__ import annotations

import math
import sys
from functools import partial

import nncf
import numpy as np
import onnx
import onnxruntime
from onnx import version_converter

from benchmarks.quantiser_peers.job import Job, run

LARGEST_DROP = 0.01
"""Of decisions that may differ from full precision's, for the control of accuracy."""

OPSET_INT4 = 21
"""From here on DequantizeLinear takes int4."""

INT4 = {"all_layers": True, "group_size": -1, "ratio": 1.0}
"""Every layer, a scale a channel: blocks of 128 inputs do not divide most convolutions."""


def quantised(job: Job, preset: str, fast: bool = True) -> None:
    """``nncf.quantize`` on all calibration data; biases are corrected from means, or by running layer after layer."""
    made = nncf.quantize(
        onnx.load(job.model),
        nncf.Dataset(list(job.samples())),
        preset=nncf.QuantizationPreset[preset],
        subset_size=len(job.paths()),
        fast_bias_correction=fast,
    )
    onnx.save(made, job.out)


def controlled(job: Job) -> None:
    """``nncf.quantize_with_accuracy_control``: layers go back to float until decisions hold on the calibration data."""
    model, samples = onnx.load(job.model), list(job.samples())
    wanted = decisions(model, samples)

    def alike(candidate: onnx.ModelProto, numbered) -> tuple[float, list[float]]:
        numbers, given = zip(*numbered, strict=True)
        found = decisions(candidate, given)
        shares = [float((wanted[i] == other).mean()) for i, other in zip(numbers, found, strict=True)]
        return float(np.mean(shares)), shares

    data = nncf.Dataset(list(enumerate(samples)), lambda item: item[1])
    made = nncf.quantize_with_accuracy_control(
        model,
        data,
        data,
        alike,
        max_drop=LARGEST_DROP,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(samples),
    )
    onnx.save(made, job.out)


def decisions(model: onnx.ModelProto, samples) -> list[np.ndarray]:
    """Best class of every row of the one output, a sample each."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    if len(session.get_outputs()) != 1:
        raise ValueError("the raw outputs of a detector hold no decision that could be controlled")
    return [session.run(None, sample)[0].argmax(axis=-1) for sample in samples]


def weights(job: Job, mode: str) -> None:
    """``nncf.compress_weights`` without data, its scales of convolutions mended.

    It writes them as ``(channels, 1, 1)`` where DequantizeLinear takes one axis, so that no engine runs the graph.
    """
    options = {} if mode.startswith("INT8") else INT4
    model = version_converter.convert_version(onnx.load(job.model), OPSET_INT4)
    made = nncf.compress_weights(model, mode=nncf.CompressWeightsMode[mode], **options)
    constants = {tensor.name: tensor for tensor in made.graph.initializer}
    for node in made.graph.node:
        if node.op_type != "DequantizeLinear" or any(a.name == "block_size" and a.i for a in node.attribute):
            continue
        for tensor in (constants[name] for name in node.input[1:] if name in constants):
            if len(tensor.dims) > 1:
                tensor.dims[:] = [math.prod(tensor.dims)]
    onnx.save(made, job.out)


RECIPES = {
    "MIXED": partial(quantised, preset="MIXED"),
    "MIXED, accurate bias": partial(quantised, preset="MIXED", fast=False),
    "PERFORMANCE": partial(quantised, preset="PERFORMANCE"),
    "accuracy control": controlled,
    "weights INT8_ASYM, mended": partial(weights, mode="INT8_ASYM"),
    "weights INT4_SYM, mended": partial(weights, mode="INT4_SYM"),
}

if __name__ == "__main__":
    sys.exit(run(RECIPES, ("nncf", "onnx", "onnxruntime")))
