"""A torch network as a source: exported to ONNX, and kept to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgekit.errors import EnvironmentLacks, ModelError, UsageError
from edgekit.types import Array

if TYPE_CHECKING:
    import torch

    from edgekit_export.sources.source import Framework


def require_torch() -> None:
    """Checks that torch is there before anything long starts.

    Raises:
        EnvironmentLacks: it is not.
    """
    try:
        import_module("torch")
        import_module("onnxscript")
    except ImportError as error:
        raise EnvironmentLacks(
            f"this source is a torch network: {error}",
            "pip install 'edgekit-export[torch]' on the workstation",
        ) from error


def build_network(target: str, weights: Path | None) -> torch.nn.Module:
    """Calls ``module:function`` for a network, with the path of its weights if there are any.

    Raises:
        UsageError: no such module or function.
        EnvironmentLacks: torch is not installed.
        ModelError: the function failed, or gave no ``torch.nn.Module``.
    """
    require_torch()
    import torch

    module_name, _, function = target.partition(":")
    try:
        make = getattr(import_module(module_name), function)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"network {target!r}: {error}", "write module:function, importable from here"
        ) from error
    try:
        network = make(weights) if weights is not None else make()
    except Exception as error:
        raise ModelError(f"network {target}: {type(error).__name__}: {error}") from error
    if not isinstance(network, torch.nn.Module):
        raise ModelError(f"network {target}: expected a torch.nn.Module, got {type(network).__name__}")
    return network.eval()


def torch_framework(network: torch.nn.Module) -> Framework:
    """The network as a function of arrays, which it is given in their order."""
    import torch

    def run(feeds: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        with torch.inference_mode():
            outputs: Any = network(*(torch.from_numpy(np.ascontiguousarray(v)) for v in feeds.values()))
        many = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        return [output.numpy() for output in many]

    return run
