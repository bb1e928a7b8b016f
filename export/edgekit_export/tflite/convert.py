"""Torch network → TFLite graph in float32, with a uint8 NHWC input as our ONNX graphs have it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgekit.bundle.manifest import TextInput
from edgekit.errors import ModelError, UsageError
from edgekit_export.convert.fold_input import Picture
from edgekit_export.silence import no_warnings, silence
from edgekit_export.tflite.converter import LOGGERS, require_converter
from edgekit_export.tflite.tidy import tidy

if TYPE_CHECKING:
    import torch

_NO_LOWERING = re.compile(r"Lowering not found: (\S+)")
_EXECUTING = re.compile(r"target=torch\.ops\.([\w.]+)\]")


def convert_torch(
    network: torch.nn.Module,
    shape: Sequence[int],
    picture: Picture,
    outputs: Sequence[str],
    *,
    cut_softmax: bool = False,
) -> bytes:
    """Converts ``network`` by litert-torch; the normalisation of pictures becomes its first operators.

    Args:
        network: takes float32 NCHW, gives one tensor or several.
        shape: of that input, without a dynamic side.
        picture: what the network expects of a picture.
        outputs: names of what it gives, in its order.
        cut_softmax: end before the softmax that the network ends with.

    Returns:
        A TFLite file whose input ``image`` is uint8 ``(1, height, width, channels)``.

    Raises:
        EnvironmentLacks: the converter is not installed.
        UsageError: a side is dynamic.
        ModelError: an operator has no form in TFLite; the message names it.
    """
    require_converter()
    import litert_torch
    import torch

    if 0 in shape:
        raise UsageError(
            "TFLite graphs have one input size, this source leaves it open", "add --input-size N"
        )
    batch, channels, height, width = shape
    example = torch.zeros(batch, height, width, channels, dtype=torch.uint8)
    try:
        with silence(), no_warnings(*LOGGERS), torch.no_grad():
            made = litert_torch.convert(_folded(network, picture), (example,))
            data = bytes(made.model_content())
    except Exception as error:
        raise ModelError(_told(str(error)), "export it with --format onnx") from error
    return tidy(data, ["image"], outputs, cut=cut_softmax)


def convert_text(network: torch.nn.Module, spec: TextInput, outputs: Sequence[str]) -> bytes:
    """Converts a network of token ids by litert-torch, for texts of exactly ``spec.max_tokens``.

    Args:
        network: takes ids, mask and types, as far as ``spec`` names them, ``(1, tokens)`` each.
        spec: of its inputs.
        outputs: names of what it gives, in its order.

    Returns:
        A TFLite file whose inputs are int32.

    Raises:
        EnvironmentLacks: the converter is not installed.
        ModelError: an operator has no form in TFLite; the message names it.
    """
    require_converter()
    import litert_torch
    import torch

    names = [name for name in (spec.ids, spec.mask, spec.types) if name is not None]
    examples = [torch.ones(1, spec.max_tokens, dtype=torch.int32) for _ in names]
    if spec.types is not None:
        examples[-1] = torch.zeros_like(examples[0])
    try:
        with silence(), no_warnings(*LOGGERS), torch.no_grad():
            data = bytes(litert_torch.convert(network, tuple(examples)).model_content())
    except Exception as error:
        raise ModelError(_told(str(error)), "export it with --format onnx") from error
    return tidy(data, names, outputs)


def _folded(network: torch.nn.Module, picture: Picture) -> torch.nn.Module:
    """``network`` behind cast, normalisation and the channels' move to the front."""
    import torch

    class Folded(torch.nn.Module):
        mean: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.register_buffer("mean", torch.tensor(picture.mean, dtype=torch.float32))
            self.register_buffer("scale", 1 / torch.tensor(picture.std, dtype=torch.float32))

        def forward(self, nhwc: torch.Tensor) -> Any:  # noqa: ANN401
            normal = (nhwc.to(torch.float32) - self.mean) * self.scale
            return self.network(normal.permute(0, 3, 1, 2))

    return Folded().eval()


def _told(message: str) -> str:
    """The converter's message in one line that names the operator."""
    found = _NO_LOWERING.search(message) or _EXECUTING.search(message)
    first = next(iter(message.strip().splitlines()), "no message")[:300]
    if found is None:
        return f"the TFLite converter cannot convert this network: {first}"
    return f"the TFLite converter has no form for operator {found[1]}: {first}"
