"""Torch network → ONNX graph."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import onnx

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit_export.convert.opset import OPSET
from edgekit_export.silence import no_warnings

if TYPE_CHECKING:
    import torch


def export_torch(
    network: torch.nn.Module,
    input_shape: Sequence[int],
    input_name: str = "input",
    output_name: str = "output",
) -> onnx.ModelProto:
    """Exports ``network`` (one float32 input of ``input_shape``, one output) by torch's dynamo exporter.

    Raises:
        EnvironmentLacks: torch or onnxscript is not installed.
        ModelError: torch cannot export the network.
    """
    torch = _torch()
    return export_traced(network, {input_name: torch.zeros(*input_shape)}, [output_name])


def export_traced(
    network: torch.nn.Module,
    examples: Mapping[str, torch.Tensor],
    output_names: Sequence[str],
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
) -> onnx.ModelProto:
    """Exports ``network`` by torch's dynamo exporter.

    Args:
        network: is called with the examples in their order.
        examples: input name → tensor; one of size 1 along a dynamic axis would fix that axis.
        output_names: of its outputs; not those of operators (``embedding``), which torch gives to its own tensors.
        dynamic: input name → axis → name of a side that may have any length; the same name, the same length.

    Raises:
        EnvironmentLacks: torch or onnxscript is not installed.
        ModelError: torch cannot export the network.
    """
    torch = _torch()
    try:
        with no_warnings("torch.onnx", "onnxscript", "onnx_ir"), torch.no_grad():
            program = torch.onnx.export(
                network.eval(),
                tuple(examples.values()),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(examples),
                output_names=list(output_names),
                dynamic_shapes=None if dynamic is None else _shapes(network, examples, dynamic),
                external_data=False,
                verbose=False,
            )
    except ImportError as error:
        raise EnvironmentLacks(f"torch's exporter: {error}", "pip install 'edgekit-export[torch]'") from error
    except Exception as error:
        raise ModelError(
            f"torch cannot export this network: {str(error).strip().splitlines()[0][:300]}"
        ) from error
    assert program is not None
    made: onnx.ModelProto = program.model_proto
    return made


def _shapes(
    network: torch.nn.Module, names: Iterable[str], dynamic: Mapping[str, Mapping[int, str]]
) -> tuple[Any, ...]:
    """Dynamic axes in the structure of the arguments: those of a ``*rest`` lie in a tuple of their own."""
    axes = [dict(dynamic.get(name, {})) for name in names]
    parameters = list(inspect.signature(network.forward).parameters.values())
    if parameters and parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        plain = len(parameters) - 1
        return (*axes[:plain], tuple(axes[plain:]))
    return tuple(axes)


def _torch() -> Any:  # noqa: ANN401 (a module)
    try:
        import torch
    except ImportError as error:
        raise EnvironmentLacks(
            f"torch is needed for this source: {error}", "pip install 'edgekit-export[torch]'"
        ) from error
    return torch
