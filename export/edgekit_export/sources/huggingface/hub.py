"""A model of the Hugging Face hub, fetched by its name: pinned to a commit, kept in the hub's own cache."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from edgekit.errors import EdgekitError, EnvironmentLacks, ModelError, UsageError
from edgekit_export.sources.huggingface.network import REMEDY

_ID = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?")
_TEXTS = ("*.json", "*.jinja", "*.txt", "*.model", "README.md", "LICENSE*", "NOTICE*")
_SAFETENSORS = (*_TEXTS, "model.safetensors", "model-*-of-*.safetensors")
_ONNX = (*_TEXTS, "model.onnx", "onnx/model.onnx")


def hub_id(source: str) -> tuple[str, str | None] | None:
    """Name and revision, if ``source`` is ``owner/name`` or ``owner/name@revision``.

    What begins with a folder that is there is a path with a fault in it, and not asked of the hub.
    """
    match = _ID.fullmatch(source)
    if match is None or Path(source.partition("/")[0]).is_dir():
        return None
    return match["name"], match["revision"]


def fetch_hub(name: str, revision: str | None = None) -> tuple[Path, str]:
    """Fetches the files that an export needs: safetensors or else ONNX, settings, tokenizer, README.

    What the hub's cache has already is not fetched again; if the hub cannot be reached it is enough. An interrupted
    download goes on where it ended. ``HF_ENDPOINT`` names another hub, ``HF_TOKEN`` who asks.

    Args:
        name: ``owner/name``.
        revision: branch, tag or commit; the main branch without.

    Returns:
        The folder, and ``owner/name@commit``.

    Raises:
        ModelError: no such model or revision, or one without weights that edgekit loads.
        EnvironmentLacks: huggingface_hub is not installed, the hub cannot be reached, or wants to know who asks.
        UsageError: it cannot be a name.
    """
    try:
        from huggingface_hub import snapshot_download, utils
    except ImportError as error:
        raise EnvironmentLacks(f"{name}: fetching from the hub: {error}", REMEDY) from error
    told = f"{name}@{revision}" if revision else name
    bars: Any = utils
    silent: Any = type("Silent", (bars.tqdm,), {"__init__": _silenced(bars.tqdm)})
    try:
        asked: dict[str, Any] = {"endpoint": os.environ.get("HF_ENDPOINT") or None, "tqdm_class": silent}
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(_SAFETENSORS), **asked))
        if not any(folder.glob("*.safetensors")):
            snapshot_download(name, revision=folder.name, allow_patterns=list(_ONNX), **asked)
    except Exception as error:
        raise _explained(told, error) from error
    if not any(folder.glob("*.safetensors")) and not any(folder.rglob("*.onnx")):
        raise ModelError(
            f"{told}: has no weights as safetensors or ONNX: others run code when they are loaded",
            "where you trust them, load them by transformers and save_pretrained(FOLDER), then export that",
        )
    return folder, f"{name}@{folder.name}"


def _silenced(bars: Any) -> Any:  # noqa: ANN401 (a class of tqdm)
    """The command line shows its own progress."""

    def start(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        bars.__init__(self, *args, **{**kwargs, "disable": True})

    return start


def _explained(told: str, error: Exception) -> EdgekitError:
    """What the hub's client raised, as what a person can act on."""
    from huggingface_hub import errors

    first = next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
    if isinstance(error, errors.HFValidationError):
        return UsageError(
            f"{told}: cannot be a model's name: {first}", "write owner/name or owner/name@revision"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelError(f"{told}: no such revision", "name a branch, tag or commit of it")
    if isinstance(error, errors.GatedRepoError):
        return EnvironmentLacks(
            f"{told}: its authors ask for terms to be accepted first",
            "accept them on its page, then log in: hf auth login, or set HF_TOKEN",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelError(
            f"{told}: the hub has no such model, or it is private",
            "check the name; for a private one log in: hf auth login, or set HF_TOKEN",
        )
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        return EnvironmentLacks(
            f"{told}: the hub cannot be reached, and it is not whole in the cache",
            "check the network, or fetch it elsewhere and give the folder",
        )
    return EnvironmentLacks(f"{told}: could not be fetched: {first}", "try again: it goes on where it ended")
