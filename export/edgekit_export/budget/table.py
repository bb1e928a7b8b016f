"""Every choice for every layer of one graph: its bytes in the file, and what it does to the output."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx

from edgekit_export.budget.knapsack import Option
from edgekit_export.budget.latency import Latency
from edgekit_export.budget.noise import Judge, by_bits
from edgekit_export.convert.graph import GraphView
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.quantize.calibrated import Calibrated
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode, layers
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.quantize import build
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.weights import Codes, read_weights

MEASURED = (Mode.WEIGHT4, Mode.WEIGHT6, Mode.WEIGHT8, Mode.WEIGHT10, Mode.HALF)
"""Choices whose noise is measured; float has none, and that of other widths follows."""
_WORST = 1e6
"""Noise power over signal power of what destroys an output."""
CHOICES = (*WEIGHT_BITS, Mode.HALF, Mode.FLOAT)


@dataclass(frozen=True, slots=True, eq=False)
class LayerTable:
    """The choices of one graph.

    Attributes:
        fixed_bytes: of the file without its layers' parameters.
        weights: numbers in all layers.
        options: layer name → mode → what it costs, in graph order; the same modes for every layer.
        fixed_ms: of the graph without its layers; 0 where no time is limited.
        fixed_noise: of what is no layer and has no choices: lookup tables and recurrent weights, in int8.
    """

    fixed_bytes: int
    weights: int
    options: Mapping[str, Mapping[Mode, Option]]
    fixed_ms: float = 0.0
    fixed_noise: float = 0.0

    def bytes_of(self, modes: Mapping[str, Mode]) -> int:
        """Of the file with these modes."""
        return self.fixed_bytes + sum(self.options[name][mode].bytes for name, mode in modes.items())

    def noise_of(self, modes: Mapping[str, Mode]) -> float:
        """Noise power at the output, relative to the signal's, as the sum of the layers alone."""
        return self.fixed_noise + sum(self.options[name][mode].noise for name, mode in modes.items())

    def ms_of(self, modes: Mapping[str, Mode]) -> float:
        """Of the graph's time, as the sum of the layers alone."""
        return self.fixed_ms + sum(self.options[name][mode].latency_ms for name, mode in modes.items())


def table_of(
    ready: Calibrated, judging: Sequence[Batch], progress: Progress = silent, latency: Latency | None = None
) -> LayerTable:
    """Writes and measures every choice.

    Args:
        ready: calibrated on other data than ``judging``: on what weights were fitted to they look 5 dB better, and
            the last layers, which see few samples, more than the first.
        judging: what is measured on.
        progress: told about every layer.
        latency: time of every layer, where it is limited: int8 codes are then a choice, too, for which ``ready`` has
            ranges.
    """
    names = [node.output[0] for node in layers(ready.model)]
    written = {mode: build(ready, dict.fromkeys(names, mode), progress).written for mode in MEASURED}
    full = build(ready, {}).model
    judge = Judge(full, judging)
    sizes, fixed = sizes_of(ready, names)
    options = {}
    for name in _each(names, "layers one by one", progress):
        noise = judge.layer(name, {mode: chosen[name] for mode, chosen in written.items()})
        powers = {**by_bits(noise), Mode.FLOAT: 0.0}
        options[name] = {mode: Option(sizes[mode][name], _finite(powers[mode])) for mode in CHOICES}
    if latency is not None:
        told = _each(names, "int8 layers one by one", progress)
        alone = {name: judge.graph(build(ready, {name: Mode.INT8}).model) for name in told}
        options = _with_codes(options, latency, alone)
    view = GraphView(ready.model)
    weights = sum(read_weights(view, node).weight.size for node in layers(ready.model))
    fixed_ms = 0.0 if latency is None else latency.rest.float_ms
    return LayerTable(fixed, weights, options, fixed_ms, Judge(ready.model, judging).graph(full))


def _each(names: Sequence[str], step: str, progress: Progress) -> Iterator[str]:
    for done, name in enumerate(names):
        progress(step, done, len(names))
        yield name
    progress(step, len(names), len(names))


def _finite(noise: float) -> float:
    """A float16 overflow, say, is the worst of all choices, but not one that a solver cannot compare."""
    return noise if math.isfinite(noise) else _WORST


def _with_codes(
    options: Mapping[str, Mapping[Mode, Option]], latency: Latency, alone: Mapping[str, float]
) -> dict[str, dict[Mode, Option]]:
    """Choices with their times, int8 codes among them: the bytes of weights of 8 bits, and a noise of their own."""
    found = {}
    for name, choices in options.items():
        times = latency.layers[name]
        found[name] = {mode: replace(option, latency_ms=times.float_ms) for mode, option in choices.items()}
        found[name][Mode.INT8] = Option(choices[Mode.WEIGHT8].bytes, alone[name], times.int8_ms)
    return found


def sizes_of(ready: Calibrated, names: Sequence[str]) -> tuple[dict[Mode, dict[str, int]], int]:
    """Mode → layer → bytes in the file, and the bytes of all the rest.

    Written with zeros for codes: bytes do not depend on values.
    """
    view = GraphView(ready.model)
    blank = {}
    for node in layers(ready.model):
        weights = read_weights(view, node)
        codes = Codes(np.zeros(weights.weight.shape), np.ones(len(weights.weight), np.float32))
        blank.update({(node.output[0], bits): (codes, weights) for bits in WEIGHT_BITS.values()})
    empty = replace(ready, rounded=blank)
    found, fixed = {}, 0
    for mode in CHOICES:
        model = build(empty, dict.fromkeys(names, mode)).model
        found[mode] = layer_bytes(model, names)
        fixed = len(to_bytes(model)) - sum(found[mode].values())
    return found, fixed


def layer_bytes(model: onnx.ModelProto, names: Sequence[str]) -> dict[str, int]:
    """Layer → bytes of its node and of all that was written under its name, with their framing."""
    known, found = set(names), dict.fromkeys(names, 0)
    parts = [(node.output[0], node) for node in model.graph.node]
    parts += [(tensor.name, tensor) for tensor in model.graph.initializer]
    for name, part in parts:
        owner = _owner(name, known)
        if owner is not None:
            found[owner] += 1 + _varint(part.ByteSize()) + part.ByteSize()
    return found


def _owner(name: str, known: set[str]) -> str | None:
    """The layer that a tensor belongs to: its own name, or what stands before a dot of it."""
    while name not in known:
        if "." not in name:
            return None
        name = name.rpartition(".")[0]
    return name


def _varint(value: int) -> int:
    return max(1, -(-value.bit_length() // 7))
