"""``…ForCTC``: wav2vec2 and its kin, which spell what they hear, a character every 20 ms or none."""

from __future__ import annotations

from typing import Any

from edgekit.bundle.manifest import CtcHead
from edgekit.errors import ModelError
from edgekit_export.convert.from_torch import export_traced
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.huggingface.speech_features import (
    QUANTIZE,
    SPELL_WINDOW_S,
    spell_input,
)
from edgekit_export.sources.source import Source, bundle_name, source_graph
from edgekit_export.sources.torch_network import torch_framework

ALPHABET = "assets/alphabet.txt"
VOCABULARY, SETTINGS = "vocab.json", "tokenizer_config.json"
_EXAMPLE_SAMPLES = 16_001
_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")


def build(folder: HfFolder, asked: BareInput) -> Source:
    """The source of a folder.

    Raises:
        UsageError: an option would change what the folder says.
        EnvironmentLacks: as :func:`load_network` says.
        ModelError: a vocabulary or features that we do not follow, or as :func:`load_network` says.
    """
    asked.refuse(folder.origin, "transcribe")
    network: Any = load_network(folder)
    blank, symbols = alphabet(folder, int(network.config.vocab_size), int(network.config.pad_token_id))
    head = CtcHead(tensor="scores", alphabet=ALPHABET, blank=blank, space_last=False, activation="softmax")
    given = spell_input(folder, _least(network))
    wrapped = _wrapped(network)
    import torch

    example = torch.linspace(-1, 1, _EXAMPLE_SAMPLES).unsqueeze(0)
    exported = export_traced(wrapped, {given.tensor: example}, [head.tensor], {given.tensor: {1: "samples"}})
    graph = source_graph(
        exported,
        SourceModel(input=given, head=head, quantize=QUANTIZE),
        torch_framework(wrapped),
        folder.weights_sha256(),
    )
    return Source(
        name=bundle_name(folder.title),
        origin=folder.origin,
        task="transcribe",
        card=card_of(
            folder,
            "transcribe",
            sum(p.numel() for p in network.parameters()),
            domain="speech, spelled as it is heard",
            input_range=f"speech of any length, read in windows of {SPELL_WINDOW_S} s",
            cannot=("write punctuation that it was not trained on", "say who speaks"),
        ),
        graphs={"model": graph},
        assets={ALPHABET: "".join(f"{symbol}\n" for symbol in symbols).encode()},
    )


def alphabet(folder: HfFolder, classes: int, blank: int) -> tuple[int, list[str]]:
    """The blank's class, and what the other classes stand for in their order; special tokens stand for nothing.

    Raises:
        ModelError: a vocabulary that does not fit the network, or whose tokens are not of one line.
    """
    told = folder.read_json(SETTINGS) if folder.has(SETTINGS) else {}
    given = folder.read_json(VOCABULARY)
    if any(
        isinstance(value, dict) for value in given.values()
    ):  # of several languages, one of which is meant
        given = given.get(str(told.get("target_lang"))) or {}
        if not isinstance(given, dict):
            raise ModelError(
                f"{folder.origin}: {VOCABULARY}: expected tokens of each language, got {repr(given)[:99]}"
            )
    by_id = {index: token for token, index in given.items() if isinstance(index, int)}
    special = {_text(told.get(key)) for key in _SPECIAL} | {"<s>", "</s>", "<unk>", "<pad>"}
    delimiter = told.get("word_delimiter_token", "|")
    found = []
    for index in range(classes):
        token = by_id.get(index, "")
        symbol = " " if token == delimiter else "" if token in special else token
        if any(c < " " or "\x7f" <= c <= "\x9f" for c in symbol):
            raise ModelError(f"{folder.origin}: {VOCABULARY}: token {symbol!r}, expected one of one line")
        found.append(symbol)
    if not 0 <= blank < classes or not any(by_id.get(i) for i in range(classes)):
        raise ModelError(
            f"{folder.origin}: {VOCABULARY}: {len(by_id)} tokens, the network has {classes} classes "
            f"and pads with {blank}"
        )
    return blank, found[:blank] + found[blank + 1 :]


def _text(token: Any) -> str:  # noqa: ANN401 (a string, or the settings of one)
    return str(token.get("content")) if isinstance(token, dict) else str(token)


def _least(network: Any) -> int:  # noqa: ANN401
    """Samples that the convolutions make one frame of."""
    least = 1
    for kernel, stride in zip(
        network.config.conv_kernel[::-1], network.config.conv_stride[::-1], strict=True
    ):
        least = (least - 1) * stride + kernel
    return int(least)


def _wrapped(network: Any) -> Any:  # noqa: ANN401
    import torch

    class Spelling(torch.nn.Module):
        """One sound in, scores of characters out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, samples: Any) -> Any:  # noqa: ANN401
            """``(1, samples)`` → ``(1, steps, classes)``."""
            return self.network(input_values=samples).logits

    return Spelling().eval()
