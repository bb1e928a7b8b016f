"""Scores of the next token: the product with the table of a whole vocabulary."""

from __future__ import annotations

from edgekit_export.language.container import BROAD, container_of
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.linear import ACCURACY_LEVEL, Weight, float32, write_product
from edgekit_export.quantize.blockwise import Blockwise

PART_BYTES = 8 << 20
"""Codes of one product. An engine arranges the codes of a product anew when it loads it, and has them twice in memory
until it is done: parts keep what is there twice small."""


def write_head(writer: GraphWriter, name: str, source: str, weight: Weight, key: str) -> str:
    """``source · weightᵀ``.

    Args:
        writer: of the decoder's graph.
        name: of the result, ``(tokens, n)`` float32.
        source: ``(tokens, k)`` float32.
        weight: ``(n, k)``.
        key: name of the weight's bytes, which are the embedding's too where the model ties them.
    """
    if not isinstance(weight, Blockwise) or not _plain(weight):
        return write_product(writer, name, source, weight, key)
    n, k = weight.shape
    step = max(PART_BYTES // k, 1)
    parts = [
        _part(writer, f"{name}.{first}", source, weight, key, (first, min(first + step, n)))
        for first in range(0, n, step)
    ]
    return writer.add("Concat", parts, name, axis=-1)


def _plain(weight: Blockwise) -> bool:
    """Whether its codes lie as the engine reads them, a byte each, without anything beside."""
    held = container_of(weight)
    return weight.bits == BROAD and held.zeros is None and weight.minima is None


def _part(
    writer: GraphWriter, name: str, source: str, weight: Blockwise, key: str, rows: tuple[int, int]
) -> str:
    (n, k), blocks = weight.shape, weight.shape[1] // weight.block
    codes = container_of(weight).codes.reshape(n, blocks, weight.block)
    inputs = [
        source,
        writer.constant(f"{name}.codes", codes, f"{key}.codes", rows),
        float32(writer, f"{name}.scales", weight.scales, f"{key}.scales", rows),
    ]
    attributes = {"K": k, "N": rows[1] - rows[0], "bits": BROAD, "block_size": weight.block}
    return writer.add("MatMulNBits", inputs, name, CONTRIB, accuracy_level=ACCURACY_LEVEL, **attributes)
