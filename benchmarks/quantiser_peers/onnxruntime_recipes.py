"""onnxruntime's own quantiser: static with each calibration method, dynamic, blocks of int4, float16.

Static as its documentation advises for x86: prepared by ``quant_pre_process``, QDQ, uint8 activations, int8 weights
per channel; full range, because the engine's exact int8 kernels run it.
"""

from __future__ import annotations

import math
import sys
import tempfile
from functools import partial
from pathlib import Path

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.quantiser_peers.job import Job, run

STRIDE = 8
"""Samples between two merges of histograms, at most: until then the calibrator keeps every activation of them."""


class Reader(CalibrationDataReader):
    """Calibration data, part by part."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.set_range(0, len(self))

    def __len__(self) -> int:
        return len(self._job.paths())

    def set_range(self, start_index: int, end_index: int) -> None:
        """The part that is read next."""
        samples = enumerate(self._job.samples())
        self._left = (sample for i, sample in samples if start_index <= i < end_index)

    def get_next(self):
        """The next sample, or ``None``."""
        return next(self._left, None)


def prepared(job: Job, folder: Path) -> Path:
    """The graph as ``quant_pre_process`` leaves it, with a name for every node: the quantiser needs them."""
    model = onnx.load(job.model)
    for node in model.graph.node:
        node.name = f"node_{node.output[0]}"
    named, out = folder / "named.onnx", folder / "prepared.onnx"
    onnx.save(model, named)
    quant_pre_process(str(named), str(out), auto_merge=True)
    return out


def static(job: Job, method: str) -> None:
    """``quantize_static`` with one calibration method."""
    with tempfile.TemporaryDirectory() as folder:
        quantize_static(
            str(prepared(job, Path(folder))),
            str(job.out),
            Reader(job),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
            extra_options={"CalibStridedMinMax": stride(job)},
        )


def stride(job: Job) -> int:
    """Samples between merges: a divisor of them all, and 1 where shapes differ, as those of a recogniser's lines."""
    shapes = {tuple(array.shape for array in sample.values()) for sample in job.samples()}
    return math.gcd(STRIDE, len(job.paths())) if len(shapes) == 1 else 1


def dynamic(job: Job) -> None:
    """``quantize_dynamic``, per channel: convolutions become ConvInteger, which takes unsigned weights."""
    with tempfile.TemporaryDirectory() as folder:
        source = str(prepared(job, Path(folder)))
        quantize_dynamic(source, str(job.out), per_channel=True, weight_type=QuantType.QUInt8)


def int4_blocks(job: Job) -> None:
    """Weights in blocks of 32 as int4, of matrix products: MatMulNBits."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    model = onnx.load(job.model)
    made = MatMulNBitsQuantizer(model, block_size=32, is_symmetric=True, accuracy_level=4)
    made.process()
    if not any(node.op_type == "MatMulNBits" for node in made.model.model.graph.node):
        raise ValueError("MatMulNBitsQuantizer takes MatMul of a constant alone, and this graph has none")
    made.model.save_model_to_file(str(job.out))


def float16(job: Job) -> None:
    """Weights and arithmetic in float16, inputs and outputs as they were."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(job.model), keep_io_types=True), job.out)


RECIPES = {
    "MinMax": partial(static, method="MinMax"),
    "Entropy": partial(static, method="Entropy"),
    "Percentile": partial(static, method="Percentile"),
    "dynamic": dynamic,
    "int4 blocks": int4_blocks,
    "float16": float16,
}

if __name__ == "__main__":
    sys.exit(run(RECIPES, ("onnxruntime", "onnx")))
