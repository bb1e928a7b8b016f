"""What each choice for each layer does to the output: one layer at a time, by the engine that ships.

All layers are in float but one, whose weight and bias are inputs of the graph, so that one session serves every
choice for it. Where the choices are few bits they are measured; what lies between or beyond follows from the law
that a bit more takes 6.02 dB of noise away, which holds better the more bits there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper

from edgekit.engines.protocol import Session
from edgekit.types import Array
from edgekit_export.convert.graph import set_constants
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.weights import Codes
from edgekit_export.quantize.write_qdq import Layer

_WEIGHT, _BIAS = "edgekit.weight", "edgekit.bias"


class Judge:
    """A float graph and the samples that others of the network are judged on against it.

    Args:
        full: the float graph as it is written, each layer a node that gives its name.
        samples: inputs to measure on.
    """

    def __init__(self, full: onnx.ModelProto, samples: Sequence[Batch]) -> None:
        self._full, self._samples = full, samples
        session = session_of(full)
        self._wanted = [session.run(sample) for sample in samples]

    def graph(self, other: onnx.ModelProto) -> float:
        """Noise power of another graph's outputs relative to the signal's, the mean of all outputs that have any."""
        return self._noise(session_of(other), {})

    def layer(self, name: str, choices: Mapping[Mode, Layer]) -> dict[Mode, float]:
        """Mode → the same of one layer alone, whose activations stay in float."""
        session = session_of(_opened(self._full, name))
        return {mode: self._noise(session, _parameters(layer)) for mode, layer in choices.items()}

    def _noise(self, session: Session, given: Mapping[str, Array]) -> float:
        """Of all samples together; an output without signal says nothing."""
        taken = {spec.name: given[spec.name] for spec in session.inputs if spec.name in given}
        noise, signal = np.zeros(len(self._wanted[0])), np.zeros(len(self._wanted[0]))
        for sample, expected in zip(self._samples, self._wanted, strict=True):
            for i, (one, other) in enumerate(zip(expected, session.run({**sample, **taken}), strict=True)):
                signal[i] += np.square(one, dtype=np.float64).sum()
                noise[i] += np.square(np.subtract(one, other, dtype=np.float64)).sum()
        heard = signal > 0
        return float(np.mean(noise[heard] / signal[heard])) if heard.any() else 0.0


def _opened(full: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """A copy of the graph with the parameters of one layer as inputs."""
    made = onnx.ModelProto()
    made.CopyFrom(full)
    node = next(n for n in made.graph.node if n.output[0] == name)
    constants = {tensor.name: tensor for tensor in made.graph.initializer}
    for position, given in ((1, _WEIGHT), (2, _BIAS)):
        if position < len(node.input) and node.input[position] in constants:
            stored = constants[node.input[position]]
            node.input[position] = given
            made.graph.input.append(helper.make_tensor_value_info(given, stored.data_type, list(stored.dims)))
    read = {used for n in made.graph.node for used in n.input}
    set_constants(made.graph, [tensor for key, tensor in constants.items() if key in read])
    return made


def _parameters(layer: Layer) -> dict[str, Array]:
    """Weight and bias as the operator reads them, float32."""
    weights = layer.weights
    real = layer.codes.real if isinstance(layer.codes, Codes) else weights.weight
    if layer.mode is Mode.HALF:
        real = real.astype(np.float16)
    stored = real.T if weights.transposed else real
    found = {_WEIGHT: np.ascontiguousarray(stored, np.float32)}
    if weights.bias is not None:
        found[_BIAS] = weights.bias.astype(np.float32)
    return found


def by_bits(measured: Mapping[Mode, float]) -> dict[Mode, float]:
    """Noise of every width of weight from that of some, in the order of widths; other modes as they were measured.

    Args:
        measured: mode → noise power; two widths at least.
    """
    known = {WEIGHT_BITS[mode]: max(noise, 1e-30) for mode, noise in measured.items() if mode in WEIGHT_BITS}
    bits = sorted(known)
    logs = np.log2([known[b] for b in bits])
    found = {}
    for mode, width in WEIGHT_BITS.items():
        inside = float(np.interp(width, bits, logs))
        beyond = 2.0 * (max(width - bits[-1], 0) + min(width - bits[0], 0))
        found[mode] = 2.0 ** (inside - beyond)
    return {**found, **{mode: noise for mode, noise in measured.items() if mode not in WEIGHT_BITS}}
