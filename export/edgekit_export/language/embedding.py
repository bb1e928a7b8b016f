"""The embedding's graph: token ids in, their rows out."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit_export.architectures.shape import EMBEDDING, DecoderShape
from edgekit_export.language.container import container_of
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.linear import Weight, float32, write_scales, write_zeros
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
    scales = write_scales(writer, EMBEDDING, table)
    inputs = [codes, _IDS, scales]
    if held.zeros is not None:
        inputs.append(write_zeros(writer, EMBEDDING, held, table.bits, (n, k // table.block)))
    writer.add(
        "GatherBlockQuantized",
        inputs,
        name if table.minima is None else f"{name}.whole",
        CONTRIB,
        bits=held.bits,
        block_size=table.block,
        gather_axis=0,
        quantize_axis=1,
    )
    if table.minima is not None:
        _with_minima(writer, table, held.lifted, scales, name)


def _with_minima(writer: GraphWriter, table: Blockwise, lifted: int, scales: str, name: str) -> None:
    """Adds ``m + d · lifted`` of each block to the rows; see :mod:`edgekit_export.language.container`."""
    assert table.minima is not None
    k, blocks = table.shape[1], table.minima.shape[1]
    # As a tied head has them, inputs first, so that they are stored once.
    minima = float32(writer, f"{EMBEDDING}.minima", np.ascontiguousarray(table.minima.T))
    found = writer.add("Gather", [minima, _IDS], f"{name}.minima", axis=1)
    found = writer.add("Transpose", [found], f"{name}.minima.rows", perm=[1, 2, 0])
    if lifted:
        step = writer.constant("lifted", np.asarray(lifted, np.float32))
        up = writer.add("Gather", [scales, _IDS], f"{name}.scales", axis=0)
        up = writer.add("Mul", [up, step], f"{name}.up")
        found = writer.add("Add", [found, up], f"{name}.lifted")
    axis = writer.constant("last", np.asarray([-1], np.int64))
    found = writer.add("Unsqueeze", [found, axis], f"{name}.blocks.minima")
    apart = writer.constant("dims.blocks", np.asarray([1, -1, blocks, table.block], np.int64))
    whole = writer.add("Reshape", [f"{name}.whole", apart], f"{name}.blocks")
    added = writer.add("Add", [whole, found], f"{name}.blocks.added")
    joined = writer.constant("dims.rows", np.asarray([1, -1, k], np.int64))
    writer.add("Reshape", [added, joined], name)
