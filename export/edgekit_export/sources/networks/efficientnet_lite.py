"""EfficientNet-Lite0: inverted residual blocks with ReLU6 and neither squeeze-excitation nor swish.

The architecture is EfficientNet's (arXiv 1905.11946, table 1) with the changes that Google published for the
Lite family (tensorflow/tpu, ``efficientnet/lite``): stem and head keep their width, squeeze-excitation is
removed, swish becomes ReLU6. Weights come from a state dict in the naming of the PyTorch ports
(``_conv_stem.weight``, ``_blocks.3._bn1.running_var``, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgekit.errors import ModelError

INPUT_SIZE = 224
"""Side of the square input in pixels."""

NORMALIZE_MEAN = (127.0, 127.0, 127.0)
NORMALIZE_STD = (128.0, 128.0, 128.0)
"""The network was trained on ``(pixel - 127) / 128``, RGB."""

_BATCH_NORM_EPSILON = 1e-3
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of blocks: the first one changes stride and width, the others repeat."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STAGES = (
    Stage(repeats=1, kernel=3, stride=1, expand=1, channels=16),
    Stage(repeats=2, kernel=3, stride=2, expand=6, channels=24),
    Stage(repeats=2, kernel=5, stride=2, expand=6, channels=40),
    Stage(repeats=3, kernel=3, stride=2, expand=6, channels=80),
    Stage(repeats=3, kernel=5, stride=1, expand=6, channels=112),
    Stage(repeats=4, kernel=5, stride=2, expand=6, channels=192),
    Stage(repeats=1, kernel=3, stride=1, expand=6, channels=320),
)


class SamePadConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding for a known input side.

    The output side is ``ceil(side / stride)``; where the total padding is odd, the extra row and column lie
    at the bottom and on the right.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, side: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=0, groups=groups, bias=False)
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        self._before, self._after = total // 2, total - total // 2

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, side, side)`` to ``(n, outputs, ceil(side / stride), ceil(side / stride))``."""
        if self._before == self._after:
            return functional.conv2d(x, self.weight, None, self.stride, self._before, 1, self.groups)
        edges = (self._before, self._after, self._before, self._after)
        return functional.conv2d(functional.pad(x, edges), self.weight, None, self.stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand 1x1, depthwise k x k, project 1x1, with the input added where the shapes agree."""

    def __init__(self, inputs: int, stage: Stage, stride: int, side: int) -> None:
        super().__init__()
        hidden = inputs * stage.expand
        self._expands = stage.expand != 1
        self._adds = stride == 1 and inputs == stage.channels
        if self._expands:
            self._expand_conv = SamePadConv(inputs, hidden, 1, 1, 1, side)
            self._bn0 = nn.BatchNorm2d(hidden, eps=_BATCH_NORM_EPSILON)
        self._depthwise_conv = SamePadConv(hidden, hidden, stage.kernel, stride, hidden, side)
        self._bn1 = nn.BatchNorm2d(hidden, eps=_BATCH_NORM_EPSILON)
        self._project_conv = SamePadConv(hidden, stage.channels, 1, 1, 1, -(-side // stride))
        self._bn2 = nn.BatchNorm2d(stage.channels, eps=_BATCH_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, inputs, side, side)`` to ``(n, channels, ceil(side / stride), ...)``."""
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self._expands else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self._adds else y


class EfficientNetLite0(nn.Module):
    """Classifier of 224 x 224 pictures.

    Takes ``(n, 3, 224, 224)`` float32, RGB, ``(pixel - 127) / 128``; gives ``(n, classes)`` logits.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self._conv_stem = SamePadConv(3, _STEM_CHANNELS, 3, 2, 1, INPUT_SIZE)
        self._bn0 = nn.BatchNorm2d(_STEM_CHANNELS, eps=_BATCH_NORM_EPSILON)
        self._blocks = nn.ModuleList(_blocks(_STEM_CHANNELS, INPUT_SIZE // 2))
        self._conv_head = SamePadConv(STAGES[-1].channels, _HEAD_CHANNELS, 1, 1, 1, INPUT_SIZE // 32)
        self._bn1 = nn.BatchNorm2d(_HEAD_CHANNELS, eps=_BATCH_NORM_EPSILON)
        self._fc = nn.Linear(_HEAD_CHANNELS, classes)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, 3, 224, 224)`` to ``(n, classes)``."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))
        return self._fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


def _blocks(inputs: int, side: int) -> Iterator[InvertedResidual]:
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            yield InvertedResidual(inputs, stage, stride, side)
            inputs, side = stage.channels, -(-side // stride)


def build(state: Mapping[str, Tensor]) -> EfficientNetLite0:
    """The network in evaluation mode with the weights of ``state``.

    Raises:
        ModelError: a tensor is missing, left over, or of another shape.
    """
    head = state.get("_fc.bias")
    network = EfficientNetLite0(classes=1000 if head is None else int(head.shape[0]))
    try:
        network.load_state_dict(dict(state), strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ModelError(f"weights do not fit EfficientNet-Lite0: {first}") from None
    return network.eval()


def load(weights: Path) -> EfficientNetLite0:
    """The network with the weights of a file that ``torch.save`` made; nothing in it is executed.

    Raises:
        ModelError: it holds something else than tensors, or they do not fit.
    """
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{weights.name}: not a file of weights: {reason}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{weights.name}: expected a state dict, name to tensor, got {type(state).__name__}")
    return build(state)
