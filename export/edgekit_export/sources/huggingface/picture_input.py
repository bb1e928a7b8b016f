"""An image processor's settings become the bundle's operations on pixels, or an error that names the field.

What transformers' own processors do, in the order in which they do it (5.23, ``image_processing_backends.py``):
convert to RGB, resize, crop, rescale, normalise. Both scalings are one ``normalize`` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edgekit.bundle.manifest import (
    CenterCrop,
    ImageInput,
    Letterbox,
    Normalize,
    PixelOp,
    ResizeAlgorithm,
    ResizeShorter,
    ResizeStretch,
)
from edgekit_export.sources.huggingface.processor_settings import Settings

_ALGORITHMS: dict[int, ResizeAlgorithm] = {
    0: "pillow_nearest",
    1: "pillow_lanczos",
    2: "pillow_bilinear",
    3: "pillow_bicubic",
}
_WARPED_FROM = 384
"""ConvNeXt is given the whole picture, stretched, from this size on."""
_LONGEST_SIDE = 16384
_LEAST_FACTOR = 1e-6
_PATCH = 16
_USUAL_RATIO = 4, 3
"""Of what cameras give: a detector's processor keeps the ratio, a graph has one size."""


@dataclass(frozen=True, slots=True)
class PictureInput:
    """How a picture becomes a network's input.

    Attributes:
        input: operations, ``normalize`` the last.
        size_wh: of that input.
    """

    input: ImageInput
    size_wh: tuple[int, int]


def classifier_input(settings: Settings) -> PictureInput:
    """Of a classifier.

    Raises:
        ModelError: a field says what no operation does, or leaves the size open.
    """
    ops = _resize_ops(settings)
    last = ops[-1]
    if isinstance(last, ResizeShorter):
        raise settings.refused("size", "a crop or both sides, as graphs have one input size;")
    assert isinstance(last, CenterCrop | ResizeStretch)
    return _with_scaling(settings, ops, (last.width, last.height))


def detector_input(
    settings: Settings, side: int | None, resize: Literal["stretch", "letterbox"] = "stretch"
) -> PictureInput:
    """Of a detector, whose processor may keep the picture's ratio while a graph has one size.

    That size is what the processor gives for a picture of 4 : 3, which comes out as it does there; others are
    stretched to it, or fitted in with a border. No mask of padding goes into the graph.

    Args:
        settings: of the processor.
        side: of a square input instead.
        resize: ``stretch`` or ``letterbox`` (top left).

    Raises:
        ModelError: a field says what no operation does.
    """
    if settings.on("do_pad", usual=False) and settings.given.get("pad_size") is not None:
        raise settings.refused("pad_size", "null, as graphs are given no mask of padding;")
    if not settings.on("do_resize", usual=True):
        raise settings.refused("do_resize", "true, as graphs have one input size;")
    edges = settings.edges("size", settings.usual.size)
    width, height = (side, side) if side else _fixed_size(settings, edges)
    algorithm = algorithm_of(settings)
    if resize == "letterbox":
        mean, _ = scaling(settings)
        pad = min(max(round(sum(mean) / 3), 0), 255)
        fitted = Letterbox(width=width, height=height, pad=pad, place="start", algorithm=algorithm)
        return _with_scaling(settings, (fitted,), (width, height))
    stretched = ResizeStretch(width=width, height=height, algorithm=algorithm)
    return _with_scaling(settings, (stretched,), (width, height))


def scaling(settings: Settings) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation of pixels of 0 to 255: ``rescale_factor``, ``image_mean`` and what classes add.

    Raises:
        ModelError: a field is no number.
    """
    factor = settings.number("rescale_factor", 1 / 255) if settings.on("do_rescale", usual=True) else 1.0
    if factor < _LEAST_FACTOR:
        raise settings.refused("rescale_factor", f"at least {_LEAST_FACTOR:g}")
    mean, std = [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]
    given_std = settings.channels("image_std", settings.usual.std)
    if settings.on("do_normalize", usual=settings.usual.normalizes):
        mean, std = list(settings.channels("image_mean", settings.usual.mean)), list(given_std)
    if settings.stem == "EfficientNet":
        if settings.on("rescale_offset", usual=False):
            mean = [m + 1 for m in mean]
        if settings.on("include_top", usual=True):
            std = [s * g for s, g in zip(std, given_std, strict=True)]
    if min(std) <= 0:
        raise settings.refused("image_std", "numbers above 0")
    scaled = [m / factor for m in mean], [s / factor for s in std]
    return (scaled[0][0], scaled[0][1], scaled[0][2]), (scaled[1][0], scaled[1][1], scaled[1][2])


def _with_scaling(settings: Settings, ops: tuple[PixelOp, ...], size_wh: tuple[int, int]) -> PictureInput:
    mean, std = scaling(settings)
    made = ImageInput(tensor="image", ops=(*ops, Normalize(mean=mean, std=std)), color="rgb")
    return PictureInput(made, size_wh)


def _resize_ops(settings: Settings) -> tuple[PixelOp, ...]:
    if settings.on("do_pad", usual=False):
        raise settings.refused("do_pad", "false")
    if not settings.on("do_resize", usual=True):
        raise settings.refused("do_resize", "true, as graphs have one input size;")
    edges, algorithm = settings.edges("size", settings.usual.size), algorithm_of(settings)
    crops = settings.on("do_center_crop", usual=settings.usual.crop is not None)
    if settings.stem == "ConvNext":
        if crops:
            raise settings.refused("do_center_crop", "false, as the class crops by crop_pct;")
        return _convnext_ops(settings, edges, algorithm)
    resized: PixelOp
    if edges.keys() == {"shortest_edge"}:
        resized = ResizeShorter(size=edges["shortest_edge"], algorithm=algorithm, rounding="down")
        least = edges["shortest_edge"], edges["shortest_edge"]
    elif edges.keys() == {"height", "width"}:
        resized = ResizeStretch(width=edges["width"], height=edges["height"], algorithm=algorithm)
        least = edges["width"], edges["height"]
    else:
        raise settings.refused("size", "shortest_edge, or height and width")
    return (resized, _crop(settings, least)) if crops else (resized,)


def _crop(settings: Settings, least_wh: tuple[int, int]) -> CenterCrop:
    usual = None if settings.usual.crop is None else dict.fromkeys(("height", "width"), settings.usual.crop)
    if settings.stem == "EfficientNet":
        usual = {"height": 289, "width": 289}
    edges = settings.edges("crop_size", usual)
    if edges.keys() != {"height", "width"}:
        raise settings.refused("crop_size", "height and width")
    if edges["width"] > least_wh[0] or edges["height"] > least_wh[1]:
        raise settings.refused("crop_size", f"no more than size gives at least, {least_wh[0]}x{least_wh[1]};")
    return CenterCrop(width=edges["width"], height=edges["height"])


def _convnext_ops(
    settings: Settings, edges: Mapping[str, int], algorithm: ResizeAlgorithm
) -> tuple[PixelOp, ...]:
    if edges.keys() != {"shortest_edge"}:
        raise settings.refused("size", "shortest_edge")
    side = edges["shortest_edge"]
    if side >= _WARPED_FROM:
        return (ResizeStretch(width=side, height=side, algorithm=algorithm),)
    share = settings.number("crop_pct", 224 / 256)
    if not side / _LONGEST_SIDE <= share <= 1:
        raise settings.refused(
            "crop_pct", f"a share of at most 1 that asks for no more than {_LONGEST_SIDE} pixels,"
        )
    resized = ResizeShorter(size=int(side / share), algorithm=algorithm, rounding="down")
    return resized, CenterCrop(width=side, height=side)


def algorithm_of(settings: Settings) -> ResizeAlgorithm:
    """How pictures are scaled: ``resample``.

    Raises:
        ModelError: it is none that is known.
    """
    value = settings.given.get("resample", settings.usual.resample)
    if not isinstance(value, int) or value not in _ALGORITHMS:
        raise settings.refused("resample", "0 nearest, 1 lanczos, 2 bilinear or 3 bicubic,")
    return _ALGORITHMS[value]


def _fixed_size(settings: Settings, edges: Mapping[str, int]) -> tuple[int, int]:
    """Width and height that a picture of 4 : 3 gets."""
    if edges.keys() == {"height", "width"}:
        return edges["width"], edges["height"]
    if not {"shortest_edge", "longest_edge"} >= edges.keys():
        raise settings.refused("size", "shortest_edge and longest_edge, or height and width")
    wide, high = _USUAL_RATIO
    longest = edges.get("longest_edge", settings.usual.longest or edges.get("shortest_edge", 0))
    shortest = edges.get("shortest_edge", longest)
    if shortest * wide > longest * high:
        width, height = longest, round(longest * high / wide)
    else:
        width, height = shortest * wide // high, shortest
    if settings.stem == "Yolos":
        return max(width - width % _PATCH, _PATCH), max(height - height % _PATCH, _PATCH)
    return width, height
