"""A text model as a TFLite file, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import UNSET

from edgekit.bundle.manifest import Carried, DecoderInput
from edgekit_export.architectures.shape import DecoderShape
from edgekit_export.language.both_ways import BOTH_WAYS
from edgekit_export.tflite.text_graph import TextGraph
from edgekit_export.tflite.text_matrices import Read

CHUNK = 64
"""Tokens of one call of a prompt: the interpreter's memory grows with them, its speed no more."""


def text_tflite(
    shape: DecoderShape,
    context: int,
    read: Read,
    advance: Callable[[], None] = lambda: None,
    takes: Literal["ids", "embeddings"] = "ids",
    *,
    both_ways: bool = False,
) -> bytes:
    """The decoder, with its embedding where it takes ids; needs no converter.

    Args:
        shape: of the model.
        context: most tokens, of prompt and answer together; keys and values have a fixed shape.
        read: gives each tensor as it shall be stored: float32, or in codes.
        advance: called once a layer, and once for the head.
        takes: ids, or embeddings as :func:`edgekit_export.tflite.text_graph.embedding_graph` gives them.
        both_ways: the places of a picture look at each other both ways.
    """
    return TextGraph(shape, context, read, takes, both_ways=both_ways).write(advance)


def text_input(
    shape: DecoderShape, context: int, takes: Literal["ids", "embeddings"] = "ids", block: int = 0
) -> DecoderInput:
    """How that file is run, for the manifest; its only output beside those of ``past`` is ``logits``.

    Args:
        shape, context, takes: as there.
        block: places of a picture that look at each other both ways: one call; 0 for none.
    """
    return DecoderInput(
        tensor="input_ids" if takes == "ids" else "inputs_embeds",
        takes=takes,
        past=tuple(
            Carried(input=f"past.{layer}.{kind}", output=f"present.{layer}.{kind}")
            for layer in range(shape.layers)
            for kind in ("key", "value")
        ),
        kv_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        context=context,
        chunk=min(max(CHUNK, block), context),
        both_ways=BOTH_WAYS if block else UNSET,
    )
