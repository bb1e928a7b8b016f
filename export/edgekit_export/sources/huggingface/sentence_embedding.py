"""A folder of sentence-transformers: a bare transformer, and beside it how its tokens become one vector."""

from __future__ import annotations

import json
from typing import Any

from edgekit.bundle.manifest import EmbedHead
from edgekit.errors import ModelError, UsageError
from edgekit_export.sources.bare import BareInput
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.text_graph import TextModel, text_source
from edgekit_export.sources.source import Source

MODULES = "modules.json"
_SETTINGS = "sentence_bert_config.json"
_OUTPUT = "vector"


def build(folder: HfFolder, asked: BareInput) -> Source:
    """The source of a folder.

    Raises:
        UsageError: a bare transformer, of which nobody says how it gives one vector.
        ModelError: modules or a pooling that edgekit does not have, or as :func:`text_source` says.
        EnvironmentLacks: as :func:`text_source` says.
    """
    if not folder.has(MODULES):
        raise UsageError(
            f"{folder.origin}: {folder.architectures[0]} gives a vector for each token, and nothing here says how they "
            "become one",
            f"add {MODULES} and 1_Pooling/config.json, as sentence-transformers writes them (mean or cls)",
        )
    kinds = _modules(folder)
    settings = folder.read_json(_SETTINGS) if folder.has(_SETTINGS) else {}
    if settings.get("do_lower_case"):
        raise ModelError(
            f"{folder.origin}: {_SETTINGS}: do_lower_case lowers texts before its tokenizer sees them",
            "put a Lowercase normalizer into tokenizer.json, and do_lower_case to false",
        )
    pooling = _pooling(folder, kinds["Pooling"])
    limit = settings.get("max_seq_length")
    return text_source(
        folder,
        asked,
        TextModel(
            task="embed",
            head=EmbedHead(tensor=_OUTPUT, normalize="Normalize" in kinds),
            result=_mean if pooling == "mean" else _first,
            max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
            domain="texts as vectors: near each other where they mean alike",
            cannot=("compare its vectors with those of another model",),
            assets={},
        ),
    )


def _mean(given: Any, mask: Any) -> Any:  # noqa: ANN401 (torch)
    """Mean of the tokens that are no padding, ``(1, values)``."""
    weights = mask.unsqueeze(-1)
    return (given.last_hidden_state * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _first(given: Any, mask: Any) -> Any:  # noqa: ANN401 (torch)
    """The first token's vector, ``(1, values)``."""
    return given.last_hidden_state[:, 0]


def _modules(folder: HfFolder) -> dict[str, str]:
    """Kind of each module → its folder.

    Raises:
        ModelError: not the three that edgekit has, in their order.
    """
    try:
        listed = json.loads((folder.path / MODULES).read_text(encoding="utf-8"))
        found = {str(item["type"]).rpartition(".")[2]: str(item["path"]) for item in listed}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelError(f"{folder.origin}: {MODULES}: expected a list of type and path: {error}") from error
    if list(found) not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise ModelError(
            f"{folder.origin}: {MODULES}: expected Transformer, Pooling and perhaps Normalize, got {', '.join(found)}"
        )
    if found["Transformer"]:
        raise ModelError(
            f"{folder.origin}: {MODULES}: its transformer lies in {found['Transformer']}, expected here"
        )
    return found


def _pooling(folder: HfFolder, path: str) -> str:
    """``mean`` or ``cls``.

    Raises:
        ModelError: another one, or several.
    """
    name = f"{path}/config.json"
    if path.startswith(("/", "\\")) or ".." in path:
        raise ModelError(f"{folder.origin}: {MODULES}: expected a folder beside it, got {path!r}")
    config = folder.read_json(name)
    if isinstance(config.get("pooling_mode"), str):
        chosen = [config["pooling_mode"]]
    else:
        chosen = [
            key.removeprefix("pooling_mode_")
            for key, on in config.items()
            if key.startswith("pooling_mode_") and on
        ]
    known = {"mean_tokens": "mean", "mean": "mean", "cls_token": "cls", "cls": "cls"}
    if len(chosen) != 1 or chosen[0] not in known:
        raise ModelError(
            f"{folder.origin}: {name}: expected pooling by mean or cls, got {' and '.join(chosen) or 'none'}"
        )
    return known[chosen[0]]
