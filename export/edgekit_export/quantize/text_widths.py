"""What of a text model is stored in codes, and what of it in one form."""

from __future__ import annotations

from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.shape import EMBEDDING, HEAD, MATRICES, DecoderShape
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.widths import FORMATS, Matrices

_STAGES = (MATRICES[:3], MATRICES[3:4], MATRICES[4:6], MATRICES[6:])
"""Matrices that read the same are one product of the engine, if they are of one form: they get one."""


def text_matrices(shape: DecoderShape) -> Matrices[Format]:
    """The embedding, an untied head, and four stages a layer."""
    sizes = {name: (size[0], size[1]) for name, size in tensor_shapes(shape).items() if len(size) == 2}
    outside: list[tuple[str, ...]] = [(EMBEDDING,)] if shape.tied else [(EMBEDDING,), (HEAD,)]
    layers = [
        tuple(f"layers.{index}.{name}.weight" for name in stage)
        for index in range(shape.layers)
        for stage in _STAGES
    ]
    return Matrices(sizes, (*outside, *layers), dict.fromkeys(sizes, FORMATS))
