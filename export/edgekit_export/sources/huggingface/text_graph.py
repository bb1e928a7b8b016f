"""The graph of a transformers model of text, of any length, with one text a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edgekit.bundle.manifest import Card, Head, TextInput, head_tensors
from edgekit_export.convert.from_torch import export_traced
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.huggingface.tokenizer import (
    MEMBER,
    load_tokenizer,
    longest,
    tokenizer_member,
    with_padding,
)
from edgekit_export.sources.source import Source, SourceGraph, bundle_name, source_graph
from edgekit_export.sources.torch_network import torch_framework

if TYPE_CHECKING:
    import torch

EXAMPLE_TOKENS = 11
"""Length of the text that is traced; any but 0 and 1, which the tracer takes for fixed."""


@dataclass(frozen=True, slots=True)
class TextModel:
    """What a kind of text model adds to the graph.

    Attributes:
        task: of edgekit.
        head: reads the graph's output.
        result: from what the transformers model gives, and the mask as float32 ``(1, tokens)``, to the output.
        max_tokens: that the folder's own files name; ``None`` for what the tokenizer says.
        domain: for the card.
        cannot: for the card.
        assets: of the head.
    """

    task: str
    head: Head
    result: Callable[[Any, Any], Any]
    max_tokens: int | None
    domain: str
    cannot: tuple[str, ...]
    assets: dict[str, bytes]


def text_source(folder: HfFolder, asked: BareInput, model: TextModel) -> Source:
    """The source of a folder.

    Raises:
        UsageError: an option would change what the folder says.
        EnvironmentLacks, ModelError: as :func:`load_network` and :func:`tokenizer_member` say.
    """
    asked.refuse(folder.origin, model.task, allowed=("size",))
    network, reference = load_network(folder), load_tokenizer(folder)
    limit = min((n for n in (asked.size, model.max_tokens) if n), default=None)
    spec = TextInput(
        tokenizer=MEMBER,
        max_tokens=longest(folder, reference, network, limit),
        types="token_type_ids" if _has_types(network, reference) else None,
    )
    member = with_padding(tokenizer_member(folder, reference, spec), reference)
    return Source(
        name=bundle_name(folder.title),
        origin=folder.origin,
        task=model.task,
        card=_card(folder, network, model, spec),
        graphs={"model": _graph(folder, network, spec, model)},
        assets={**model.assets, MEMBER: member},
    )


def _has_types(network: Any, reference: Any) -> bool:  # noqa: ANN401
    """Whether the segment of a token changes anything."""
    told = "token_type_ids" in reference.model_input_names
    taken = "token_type_ids" in inspect.signature(network.forward).parameters
    return told and taken and getattr(network.config, "type_vocab_size", 0) > 1


def _graph(folder: HfFolder, network: Any, spec: TextInput, model: TextModel) -> SourceGraph:  # noqa: ANN401
    import torch

    wrapped = _wrapped(network, model.result)
    whole = torch.ones(1, EXAMPLE_TOKENS, dtype=torch.int64)
    ids = torch.arange(5, 5 + EXAMPLE_TOKENS).unsqueeze(0)
    examples = {spec.ids: ids, "attention_mask": whole}
    if spec.types is not None:
        examples[spec.types] = torch.zeros_like(whole)
    exported = export_traced(
        wrapped, examples, head_tensors(model.head), {name: {1: "tokens"} for name in examples}
    )
    made = source_graph(
        exported, SourceModel(input=spec, head=model.head), torch_framework(wrapped), folder.weights_sha256()
    )
    return replace(made, network=wrapped)


def _wrapped(network: Any, result: Callable[[Any, Any], Any]) -> torch.nn.Module:  # noqa: ANN401
    import torch

    class Wrapped(torch.nn.Module):
        """One text in, one array out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: Any, mask: Any, types: Any = None) -> Any:  # noqa: ANN401
            """Ids, mask and types ``(1, tokens)`` int64."""
            further = {} if types is None else {"token_type_ids": types}
            given = self.network(input_ids=ids, attention_mask=mask, **further)
            return result(given, mask.to(torch.float32))

    return Wrapped().eval()


def _card(folder: HfFolder, network: Any, model: TextModel, spec: TextInput) -> Card:  # noqa: ANN401
    return card_of(
        folder,
        model.task,
        sum(p.numel() for p in network.parameters()),
        domain=model.domain,
        input_range=f"one text of up to {spec.max_tokens} tokens; what is longer is cut off",
        cannot=model.cannot,
    )
