"""One variant of a text model as its bundle will have it: graphs, weights and the manifest's entry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec import UNSET

from edgekit.bundle.manifest import (
    Carried,
    DecoderInput,
    LogitsHead,
    MemoryHead,
    Model,
    TokenInput,
    Variant,
)
from edgekit_export.architectures.shape import DecoderShape
from edgekit_export.language.both_ways import BOTH_WAYS
from edgekit_export.language.decoder import Read
from edgekit_export.language.write import DECODE, EMBED, WEIGHTS, write_graphs
from edgekit_export.sources.text_model import TextModel
from edgekit_export.staging import Staging
from edgekit_export.vision.graph import ReadVision

_CHUNK = 128
"""Tokens of one call of a prompt: more cost memory and save no time (docs/decisions/text-runtime.md)."""

_TOKENIZER, _TEMPLATE = "tokenizer.json", "chat_template.jinja"

Precision = Literal["fp32", "int8", "int4", "mixed"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make.

    Attributes:
        name: of the variant.
        recipe: that made its weights.
        precision: of most weights.
        read_text: gives each tensor of the decoder as it shall be written.
        read_vision: the same of the eyes, where the model has some.
    """

    name: str
    recipe: str
    precision: Precision
    read_text: Read
    read_vision: ReadVision | None = None


class TextStaging(Staging):
    """A staging folder in which each variant has a tokenizer of its own: a pruned one is not its reference's."""

    def members(self, variants: tuple[Variant, ...]) -> dict[str, bytes | Path]:
        """Those of the variants, and what their heads name; see :meth:`Staging.members`."""
        heads = [model.head for variant in variants for model in variant.models.values()]
        named = [(head.tokenizer, head.chat_template) for head in heads if isinstance(head, LogitsHead)]
        paths = {path for pair in named for path in pair if path is not None}
        return {**super().members(variants), **{path: self.folder / path for path in sorted(paths)}}


def stage_text(
    staging: TextStaging, model: TextModel, plan: Plan, context: int, advance: Callable[[], None]
) -> Variant:
    """Writes a variant's files and gives its manifest entry, without a drop.

    Args:
        staging: the bundle's folder.
        model: shape and words.
        plan: name and weights.
        context: most tokens, of prompt and answer together.
        advance: called once a layer, and once for the head.
    """
    folder = staging.folder / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    block = 0 if model.eyes is None else model.eyes.block
    write_graphs(folder, model.shape, context, plan.read_text, advance, both_ways=block > 0)
    external = (f"{plan.name}/{WEIGHTS}",)
    embed = Model(
        path=f"{plan.name}/{EMBED}",
        format="onnx",
        input=TokenInput(ids="input_ids"),
        head=MemoryHead(tensors=("inputs_embeds",)),
        external=external,
    )
    decode = Model(
        path=f"{plan.name}/{DECODE}",
        format="onnx",
        input=_decoder_input(model.shape, context, block),
        head=logits_head(staging.folder, model),
        external=external,
    )
    size = sum(path.stat().st_size for path in folder.iterdir())
    models = {"decode": decode, "embed": embed}
    return Variant(name=plan.name, recipe=plan.recipe, precision=plan.precision, models=models, bytes=size)


def _decoder_input(shape: DecoderShape, context: int, block: int) -> DecoderInput:
    pairs = (
        Carried(input=f"past.{i}.{part}", output=f"present.{i}.{part}")
        for i in range(shape.layers)
        for part in ("key", "value")
    )
    return DecoderInput(
        tensor="inputs_embeds",
        takes="embeddings",
        past=tuple(pairs),
        kv_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        context=context,
        chunk=min(max(_CHUNK, block), context),
        both_ways=BOTH_WAYS if block else UNSET,
    )


def logits_head(folder: Path, model: TextModel) -> LogitsHead:
    """What makes tokens of texts and turns, its files written; equal ones of two variants are one."""
    words = model.words
    digest = hashlib.sha256(words.tokenizer).hexdigest()[:8]
    tokenizer = _asset(folder, f"assets/{digest}.{_TOKENIZER}", words.tokenizer)
    template = (
        _asset(folder, f"assets/{_TEMPLATE}", words.chat_template.encode()) if words.chat_template else None
    )
    return LogitsHead(
        tensor="logits",
        tokenizer=tokenizer,
        vocabulary=model.shape.vocabulary,
        ends=words.ends,
        chat_template=template,
        first=words.first,
        token_texts=words.token_texts,
    )


def _asset(folder: Path, path: str, data: bytes) -> str:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return path
