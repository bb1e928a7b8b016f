"""Scales for which no sum or product of codes is ever a tie, so that every CPU rounds it alike.

Engines add two coded tensors as ``a · s_a/s_c + b · s_b/s_c`` and round: onnxruntime in float32, ties to even, on x86;
in fixed point, ties away from zero, on ARM. Where both ratios are ``m/511`` and ``n/511`` a tie would need
``2 (m a + n b) = 511 (2 j + 1)``, an even number equal to an odd one, and every sum stays 1/1022 away from one.
A product needs ``s_a s_b / s_c = m/q`` with odd ``q``. Scales move by about 0.2 % (see ``docs/arm.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import onnx

from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.placement import Placement
from edgekit_export.quantize.wide import Fine

DENOMINATOR = 511
_LARGEST = 2047
_CLOSE = 1e-6


class _Scales:
    """Scales that may still move, and those that a later operator has fixed."""

    def __init__(self, placement: Placement, codes: Mapping[str, Affine | Fine], fixed: set[str]) -> None:
        self.placement, self.codes, self.fixed = placement, dict(codes), set(fixed)

    def root(self, name: str) -> str:
        return self.placement.same_code.get(name, name)

    def scale(self, name: str) -> float:
        return float(self.codes[self.root(name)].scale)

    def free(self, name: str) -> bool:
        return self.root(name) not in self.fixed

    def move(self, name: str, scale: float) -> None:
        root = self.root(name)
        code = self.codes[root]
        assert isinstance(code, Affine)
        self.codes[root] = replace(code, scale=float(np.float32(scale)))
        self.fixed.add(root)


def settle_ratios(
    model: onnx.ModelProto, placement: Placement, codes: Mapping[str, Affine | Fine], fixed: set[str]
) -> dict[str, Affine | Fine]:
    """Codes with odd ratios at every integer Add and Mul, the last operator first.

    An operator whose scales are all fixed already goes to ``placement.apart``: it is written in float, which is
    exact as well and slower.

    Args:
        model: the graph.
        placement: where codes are; ``apart`` is filled.
        codes: code of every tensor that has one of its own.
        fixed: tensors whose scale cannot move, such as pixels.
    """
    view, scales = GraphView(model), _Scales(placement, codes, fixed)
    behind = {source: target for target, source in placement.absorbed.items()}
    placement.apart.clear()
    for node in reversed(model.graph.node):
        target = behind.get(node.output[0], node.output[0])
        if node.op_type not in ("Add", "Mul") or not _is_integer(placement, view, node, target):
            continue
        settle = _settle_sum if node.op_type == "Add" else _settle_product
        if not settle(scales, node.input[0], node.input[1], target):
            placement.apart.add(node.output[0])
    return scales.codes


def _is_integer(placement: Placement, view: GraphView, node: onnx.NodeProto, target: str) -> bool:
    coded = set(placement.coded)
    return target in coded and all(name in coded and name not in view.constants for name in node.input)


def _settle_sum(scales: _Scales, a: str, b: str, target: str) -> bool:
    """``s_a`` and ``s_b`` become whole multiples of ``s_c / 511``."""
    step = scales.scale(target) / DENOMINATOR
    moves = []
    for name in dict.fromkeys((a, b)):
        multiple = max(round(scales.scale(name) / step), 1)
        if not scales.free(name) and abs(scales.scale(name) / (multiple * step) - 1) > _CLOSE:
            return False
        moves.append((name, multiple * step))
    if scales.root(target) in {scales.root(a), scales.root(b)}:
        return False
    scales.fixed.add(scales.root(target))
    for name, scale in moves:
        scales.move(name, scale)
    return True


def _settle_product(scales: _Scales, a: str, b: str, target: str) -> bool:
    """One of the three scales moves until ``s_a s_b / s_c`` is a fraction with an odd denominator."""
    ratio = scales.scale(a) * scales.scale(b) / scales.scale(target)
    numerator, denominator = odd_fraction(ratio)
    wanted = numerator / denominator
    if scales.free(target):
        scales.move(target, scales.scale(target) * ratio / wanted)
    elif a != b and scales.free(a):
        scales.move(a, scales.scale(a) * wanted / ratio)
    elif a != b and scales.free(b):
        scales.move(b, scales.scale(b) * wanted / ratio)
    elif abs(wanted / ratio - 1) > _CLOSE:
        return False
    scales.fixed.update(scales.root(name) for name in (a, b, target))
    return True


def odd_fraction(ratio: float) -> tuple[int, int]:
    """The nearest fraction to ``ratio`` whose denominator is odd and at most 2,047."""
    denominators = np.arange(1, _LARGEST + 1, 2)
    numerators = np.maximum(np.rint(ratio * denominators), 1)
    best = int(np.argmin(np.abs(numerators / denominators - ratio)))
    return int(numerators[best]), int(denominators[best])
