"""Torch network → ONNX graph."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import onnx

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit_export.convert.opset import OPSET

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    try:
        import torch
    except ImportError as error:
        raise EnvironmentLacks(
            f"torch is needed for this source: {error}", "pip install 'edgekit-export[torch]'"
        ) from error
    example = torch.zeros(*input_shape)
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                network.eval(),
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[input_name],
                output_names=[output_name],
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
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Torch's exporter warns about its own internals; none of it concerns the user."""
    levels = {name: logging.getLogger(name).level for name in ("torch.onnx", "onnxscript", "onnx_ir")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
