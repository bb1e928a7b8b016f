"""The embedding's graph: token ids in, their rows out."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit_export.architectures.shape import EMBEDDING, DecoderShape
from edgekit_export.language.container import container_of
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.linear import Weight, write_scales, write_zeros
from edgekit_export.language.planes import write_codes
from edgekit_export.quantize.blockwise import Blockwise

_IDS, _EMBEDS = "input_ids", "inputs_embeds"


def embedding_graph(shape: DecoderShape, table: Weight, writer: GraphWriter) -> onnx.ModelProto:
    """The whole graph; its table is the head's where the model ties them.

    Args:
        shape: of the model.
        table: ``(vocabulary, hidden)``.
        writer: of this graph, on the decoder's file of weights.
    """
    scaled = shape.embedding_scale != 1
    rows = f"{_EMBEDS}.rows" if scaled else _EMBEDS
    if isinstance(table, Blockwise):
        _coded(writer, table, rows)
    else:
        stored = writer.constant(f"{EMBEDDING}.table", table, key=f"{EMBEDDING}.table")
        writer.add("Gather", [stored, _IDS], rows, axis=0)
    if scaled:
        scale = writer.constant("embedding_scale", np.asarray(shape.embedding_scale, np.float32))
        writer.add("Mul", [rows, scale], _EMBEDS)
    ids = helper.make_tensor_value_info(_IDS, TensorProto.INT64, [1, "tokens"])
    out = helper.make_tensor_value_info(_EMBEDS, TensorProto.FLOAT, [1, "tokens", shape.hidden])
    return writer.model("embed", [ids], [out])


def _coded(writer: GraphWriter, table: Blockwise, name: str) -> None:
    """Rows of codes, made real as they are read."""
    n, k = table.shape
    held = container_of(table)
    codes = write_codes(writer, EMBEDDING, table, held, (n, k * held.bits // 8))
    inputs = [codes, _IDS, write_scales(writer, EMBEDDING, table)]
    if held.zeros is not None:
        inputs.append(write_zeros(writer, EMBEDDING, held, (n, k // table.block)))
    writer.add(
        "GatherBlockQuantized",
        inputs,
        name,
        CONTRIB,
        bits=held.bits,
        block_size=table.block,
        gather_axis=0,
        quantize_axis=1,
    )
