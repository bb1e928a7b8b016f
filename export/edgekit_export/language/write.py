"""Both graphs of a text model into a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit_export.architectures.shape import EMBEDDING, DecoderShape
from edgekit_export.language.decoder import DecoderGraph, Read
from edgekit_export.language.embedding import embedding_graph
from edgekit_export.language.graph_writer import GraphWriter
from edgekit_export.language.weights_file import WeightsFile

EMBED, DECODE, WEIGHTS = "embed.onnx", "decode.onnx", "weights.bin"


def write_graphs(
    folder: Path,
    shape: DecoderShape,
    context: int,
    read: Read,
    advance: Callable[[], None] = lambda: None,
    *,
    both_ways: bool = False,
) -> None:
    """Writes ``embed.onnx``, ``decode.onnx`` and ``weights.bin``; one tensor is in memory at a time.

    Args:
        folder: exists.
        shape: of the model.
        context: most tokens, of prompt and answer together.
        read: gives each tensor as it shall be written.
        advance: called once a layer, and once for the head.
        both_ways: the places of a picture look at each other both ways.
    """
    with WeightsFile(folder / WEIGHTS) as weights:
        embed = embedding_graph(shape, read(EMBEDDING), GraphWriter(weights))
        decode = DecoderGraph(shape, context, read, GraphWriter(weights), both_ways=both_ways).write(advance)
    for name, model in ((EMBED, embed), (DECODE, decode)):
        (folder / name).write_bytes(model.SerializeToString(deterministic=True))
