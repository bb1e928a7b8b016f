"""How a picture becomes a graph's input: what is done to its pixels, in which order."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from edgekit.bundle.fields import Byte, Line, Pixels, Strict

ResizeAlgorithm: TypeAlias = Literal[
    "opencv_linear_exact", "pillow_nearest", "pillow_bilinear", "pillow_bicubic", "pillow_lanczos"
]


class ResizeShorter(Strict, frozen=True, tag="resize_shorter", tag_field="op"):
    """Scales so that the shorter side is ``size``; the longer one is rounded half up, or ``down``."""

    size: Pixels
    algorithm: ResizeAlgorithm = "opencv_linear_exact"
    rounding: Literal["half_up", "down"] = "half_up"


class CenterCrop(Strict, frozen=True, tag="center_crop", tag_field="op"):
    """Cuts the middle; the offset is ``(side - size) // 2``."""

    width: Pixels
    height: Pixels


class ResizeStretch(Strict, frozen=True, tag="resize_stretch", tag_field="op"):
    """Scales to exactly this size, whatever the aspect ratio."""

    width: Pixels
    height: Pixels
    algorithm: ResizeAlgorithm = "opencv_linear_exact"


class ResizeMultiple(Strict, frozen=True, tag="resize_multiple", tag_field="op"):
    """Scales to sides that are multiples of ``multiple``, near the picture's own size within bounds.

    The picture is enlarged until its shorter side is ``min_side``, or reduced until its longer side is
    ``max_side`` (which wins), then each side is rounded to the nearest multiple, half up, at least one. The
    factor is a fraction of integers, and nothing is rounded before.
    """

    min_side: Pixels
    max_side: Pixels
    multiple: Pixels
    algorithm: ResizeAlgorithm = "opencv_linear_exact"


class ResizeHeight(Strict, frozen=True, tag="resize_height", tag_field="op"):
    """Scales to ``height`` keeping the aspect ratio, then pads on the right.

    The width is ``ceil(height * w / h)``, capped at ``max_width``; padded with ``pad`` to the next multiple
    of ``multiple``, at least ``min_width``.
    """

    height: Pixels
    min_width: Pixels
    max_width: Pixels
    multiple: Pixels
    pad: Byte
    algorithm: ResizeAlgorithm = "opencv_linear_exact"


class Letterbox(Strict, frozen=True, tag="letterbox", tag_field="op"):
    """Scales to fit into ``width`` × ``height`` keeping the aspect ratio, and pads the rest.

    Attributes:
        pad: value of the padding, in all channels.
        place: where the picture lies: in the ``center``, or at the ``start`` (top left).
    """

    width: Pixels
    height: Pixels
    pad: Byte
    place: Literal["center", "start"] = "center"
    algorithm: ResizeAlgorithm = "opencv_linear_exact"


class Normalize(Strict, frozen=True, tag="normalize", tag_field="op"):
    """``(x - mean) / std`` a channel in float32, for graphs that have it not folded in.

    The last operation, and only for float32; ``mean`` and ``std`` are in the order of ``color``.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


PixelOp: TypeAlias = (
    ResizeShorter | CenterCrop | ResizeStretch | ResizeMultiple | ResizeHeight | Letterbox | Normalize
)


class ImageInput(Strict, frozen=True, tag="image", tag_field="kind"):
    """How a picture becomes the graph's input: ``ops`` in order, then channel order, dtype and layout."""

    tensor: Line
    ops: Annotated[tuple[PixelOp, ...], Meta(max_length=16)]
    color: Literal["rgb", "bgr"]
    dtype: Literal["uint8", "float32"] = "uint8"
    layout: Literal["nhwc", "nchw"] = "nhwc"
