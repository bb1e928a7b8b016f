"""``WhisperForConditionalGeneration``: an encoder that is run once a window, and a decoder, once a token."""

from __future__ import annotations

from typing import Any

import msgspec

from edgekit.bundle.manifest import Carried, MemoryHead, StepInput, TokenHead
from edgekit.errors import ModelError
from edgekit_export.convert.from_torch import export_traced
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.huggingface.speech_features import QUANTIZE, whisper_input
from edgekit_export.sources.huggingface.tokenizer import FILE as TOKENIZER
from edgekit_export.sources.huggingface.tokenizer import MEMBER, load_tokenizer
from edgekit_export.sources.huggingface.whisper_graphs import decoder_of, encoder_of
from edgekit_export.sources.source import Source, SourceGraph, bundle_name
from edgekit_export.sources.torch_network import torch_framework

GENERATION = "generation_config.json"
_EXAMPLE_PAST, _EXAMPLE_TOKENS = 5, 3
"""Lengths that are traced; any but 0 and 1, which the tracer takes for fixed."""


def build(folder: HfFolder, asked: BareInput) -> Source:
    """The source of a folder.

    Raises:
        UsageError: an option would change what the folder says.
        EnvironmentLacks: as :func:`load_network` says.
        ModelError: settings that we do not follow, or as :func:`load_network` says.
    """
    asked.refuse(folder.origin, "transcribe")
    network: Any = load_network(folder)
    config = network.config
    given = whisper_input(folder, int(config.max_source_positions))
    assert given.features is not None
    layers = range(config.decoder_layers)
    memory = tuple(f"memory.{i}.{part}" for i in layers for part in ("key", "value"))
    carried = tuple(
        Carried(input=f"past.{i}.{part}", output=f"present.{i}.{part}")
        for i in layers
        for part in ("key", "value")
    )
    step = StepInput(ids="input_ids", carried=carried, memory=memory)
    digest = folder.weights_sha256()
    return Source(
        name=bundle_name(folder.title),
        origin=folder.origin,
        task="transcribe",
        card=card_of(
            folder,
            "transcribe",
            sum(p.numel() for p in network.parameters()),
            domain="speech, written down with punctuation",
            input_range="speech of any length, read in windows of its own length one after the other",
            cannot=(
                "be trusted where nobody speaks: it may write what nobody said",
                "say who speaks, or when",
            ),
        ),
        graphs={
            "encode": _encoder(
                network, SourceModel(input=given, head=MemoryHead(tensors=memory), quantize=QUANTIZE), digest
            ),
            "decode": _decoder(
                network, SourceModel(input=step, head=token_head(folder, config), quantize=QUANTIZE), digest
            ),
        },
        assets={MEMBER: _tokenizer(folder)},
    )


def _encoder(network: Any, spec: SourceModel, digest: str) -> SourceGraph:  # noqa: ANN401
    import torch

    config, wrapped = network.config, encoder_of(network)
    example = torch.zeros(1, config.num_mel_bins, 2 * config.max_source_positions)
    assert isinstance(spec.head, MemoryHead)
    model = export_traced(wrapped, {"input_features": example}, spec.head.tensors)
    return SourceGraph(model, spec, torch_framework(wrapped), digest, network=wrapped)


def _decoder(network: Any, spec: SourceModel, digest: str) -> SourceGraph:  # noqa: ANN401
    import torch

    config, wrapped = network.config, decoder_of(network)
    step, head = spec.input, spec.head
    assert isinstance(step, StepInput)
    assert isinstance(head, TokenHead)
    heads, width = config.decoder_attention_heads, config.d_model // config.decoder_attention_heads
    examples = {step.ids: torch.arange(_EXAMPLE_TOKENS).unsqueeze(0)}
    for name in step.memory:
        examples[name] = torch.zeros(1, heads, config.max_source_positions, width)
    for pair in step.carried:
        examples[pair.input] = torch.zeros(1, heads, _EXAMPLE_PAST, width)
    dynamic = {step.ids: {1: "tokens"}, **{pair.input: {2: "past"} for pair in step.carried}}
    outputs = [head.tensor, *(pair.output for pair in step.carried)]
    model = export_traced(wrapped, examples, outputs, dynamic)
    return SourceGraph(model, spec, torch_framework(wrapped), digest, network=wrapped)


def token_head(folder: HfFolder, config: Any) -> TokenHead:  # noqa: ANN401
    """How transformers' ``generate`` would decode, without timestamps.

    A model of several languages tells the language by itself, unless the folder's generation settings name one.

    Raises:
        ModelError: settings that are of another form, or name tokens which the model does not have.
    """
    told = folder.read_json(GENERATION) if folder.has(GENERATION) else {}
    try:
        head = msgspec.convert(msgspec.to_builtins(_head_of(folder, told, config)), TokenHead)
    except (
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        OverflowError,
        msgspec.ValidationError,
    ) as error:
        raise ModelError(
            f"{folder.origin}: {GENERATION}: no settings of Whisper: {str(error)[:200]}"
        ) from error
    named = (*head.prompt, *head.languages, *head.task, head.end, *head.suppress, *head.suppress_first)
    if max(named) >= config.vocab_size:
        raise ModelError(
            f"{folder.origin}: {GENERATION}: names token {max(named)}, the model has {config.vocab_size}"
        )
    return head


def _head_of(folder: HfFolder, told: dict[str, Any], config: Any) -> TokenHead:  # noqa: ANN401
    start = int(told.get("decoder_start_token_id") or config.decoder_start_token_id)
    plain = told.get("no_timestamps_token_id")
    spoken, tasks = told.get("lang_to_id") or {}, told.get("task_to_id") or {}
    prompt, languages, task = [start], list[int](), list[int]()
    if told.get("is_multilingual", bool(spoken)) and spoken:
        task = [int(tasks[name]) for name in ("transcribe",) if name in tasks]
        chosen = told.get("language")
        if chosen is None:
            languages = sorted(int(v) for v in spoken.values())
        else:
            prompt.append(_language(folder, spoken, str(chosen)))
    else:
        prompt += [int(token) for _, token in told.get("forced_decoder_ids") or () if token is not None]
    if plain is not None and plain not in prompt:
        (task if languages or task else prompt).append(int(plain))
    return TokenHead(
        tensor="logits",
        tokenizer=MEMBER,
        prompt=tuple(prompt),
        languages=tuple(languages),
        task=tuple(task),
        end=_first(told.get("eos_token_id", config.eos_token_id)),
        max_tokens=min(int(told.get("max_length") or 448), int(config.max_target_positions)),
        suppress=tuple(int(v) for v in told.get("suppress_tokens") or ()),
        suppress_first=tuple(int(v) for v in told.get("begin_suppress_tokens") or ()),
    )


def _language(folder: HfFolder, spoken: dict[str, Any], chosen: str) -> int:
    token = chosen if chosen in spoken else f"<|{chosen}|>"
    if token not in spoken:
        raise ModelError(
            f"{folder.origin}: {GENERATION}: language {chosen[:100]!r}",
            f"expected one of {', '.join(sorted(spoken)[:20])}",
        )
    return int(spoken[token])


def _first(token: Any) -> int:  # noqa: ANN401 (a number, or a list of them)
    return int(token[0] if isinstance(token, list) else token)


def _tokenizer(folder: HfFolder) -> bytes:
    """The folder's ``tokenizer.json``, or the one that transformers makes of its vocabulary."""
    if folder.has(TOKENIZER):
        return (folder.path / TOKENIZER).read_bytes()
    backend: Any = load_tokenizer(folder)
    return str(backend.backend_tokenizer.to_str()).encode()
