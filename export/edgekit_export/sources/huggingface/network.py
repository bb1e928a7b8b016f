"""The transformers model of a folder, with all of its weights, in float32 and ready to be exported."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit_export.sources.huggingface.folder import HfFolder

if TYPE_CHECKING:
    import torch

REMEDY = "pip install 'edgekit-export[transformers]' on the workstation"


def require_transformers() -> None:
    """Checks that transformers and torch are there before anything long starts.

    Raises:
        EnvironmentLacks: they are not.
    """
    try:
        for name in ("torch", "onnxscript", "transformers"):
            import_module(name)
    except ImportError as error:
        raise EnvironmentLacks(f"this source is a transformers model: {error}", REMEDY) from error


def load_network(folder: HfFolder) -> torch.nn.Module:
    """The model that a folder holds: its first architecture, weights from safetensors, eager attention, float32.

    Code that lies in a repository is never run.

    Raises:
        EnvironmentLacks: transformers or torch is not installed.
        ModelError: transformers has no such class, the weights are pickled, damaged or do not fit, or some are
            missing (transformers would make them up).
    """
    require_transformers()
    import torch
    import transformers

    check_whole(folder)
    name = folder.architectures[0]
    kind = getattr(transformers, name, None)
    if not isinstance(kind, type) or not issubclass(kind, transformers.PreTrainedModel):
        raise ModelError(
            f"{folder.origin}: transformers {transformers.__version__} has no class {name}",
            "code that a repository brings along is never run",
        )
    try:
        with quiet_transformers():
            load: Any = kind.from_pretrained
            network, told = load(
                folder.path,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
            )
    except ImportError as error:
        raise EnvironmentLacks(f"{folder.origin}: {name}: {_first_line(error)}", REMEDY) from error
    except Exception as error:
        raise ModelError(f"{folder.origin}: {name}: cannot be loaded: {_first_line(error)}") from error
    _refuse_invented(folder, told)
    made: torch.nn.Module = network.eval()
    return made


def check_whole(folder: HfFolder) -> None:
    """Transformers' own message names neither the file nor what to do."""
    from safetensors import SafetensorError, safe_open

    for path in folder.weights():
        try:
            with safe_open(path, "np"):
                pass
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"{folder.origin}: {path.name}: no whole safetensors file "
                f"({path.stat().st_size} bytes): {_first_line(error)}",
                "fetch it again; where git cloned the folder: git lfs pull",
            ) from error


def _refuse_invented(folder: HfFolder, told: dict[str, Any]) -> None:
    """Transformers fills missing tensors with random numbers, and warns."""
    for kind, word in (("missing_keys", "lack"), ("mismatched_keys", "have another shape than")):
        names = sorted(str(k[0] if isinstance(k, tuple) else k) for k in told.get(kind) or ())
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            what = (
                f"{word} {names[0]}{more}" if word == "lack" else f"{word} config.json says: {names[0]}{more}"
            )
            raise ModelError(
                f"{folder.origin}: the weights {what}", f"is it a {folder.architectures[0]}, and whole?"
            )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Inside the block transformers shows neither bars nor warnings: what matters of them is an error here."""
    import transformers.utils.logging

    told: Any = transformers.utils.logging
    bars, level = told.is_progress_bar_enabled(), told.get_verbosity()
    told.disable_progress_bar()
    told.set_verbosity(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        told.set_verbosity(level)
        if bars:
            told.enable_progress_bar()
