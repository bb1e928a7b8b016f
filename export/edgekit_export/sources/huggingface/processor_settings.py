"""``preprocessor_config.json``: what it says, and what the class it names does where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder

FILE = "preprocessor_config.json"
COMBINED = "processor_config.json"

_HALF = (0.5, 0.5, 0.5)
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_LANCZOS, _BILINEAR, _BICUBIC = 1, 2, 3
_LARGEST = 1e30


@dataclass(frozen=True, slots=True)
class Usual:
    """What a class of transformers does where a file says nothing (5.23, ``models/*/image_processing_pil_*.py``)."""

    size: Mapping[str, int]
    resample: int = _BILINEAR
    mean: tuple[float, float, float] = _HALF
    std: tuple[float, float, float] = _HALF
    crop: int | None = None
    normalizes: bool = True
    squares: bool = True
    """Whether a size that is one number is both sides; else it is the shorter one."""
    longest: int | None = None
    """Of detectors that are given the shorter side alone."""


_WITHIN = {"shortest_edge": 800, "longest_edge": 1333}
_DETR = Usual(_WITHIN, mean=_IMAGENET[0], std=_IMAGENET[1], squares=False, longest=1333)

PROCESSORS: dict[str, Usual] = {
    "ViT": Usual({"height": 224, "width": 224}),
    "DeiT": Usual({"height": 256, "width": 256}, _BICUBIC, crop=224),
    "Bit": Usual({"shortest_edge": 224}, _BICUBIC, *_CLIP, crop=224, squares=False),
    "CLIP": Usual({"shortest_edge": 224}, _BICUBIC, *_CLIP, crop=224, squares=False),
    "Siglip": Usual({"height": 224, "width": 224}, _BICUBIC),
    "ConvNext": Usual({"shortest_edge": 384}, _BICUBIC, squares=False),
    "EfficientNet": Usual({"height": 346, "width": 346}, _BICUBIC),
    "MobileNetV1": Usual({"shortest_edge": 256}, crop=224, squares=False),
    "MobileNetV2": Usual({"shortest_edge": 256}, crop=224, squares=False),
    "Detr": _DETR,
    "ConditionalDetr": _DETR,
    "DeformableDetr": _DETR,
    "Yolos": _DETR,
    "RTDetr": Usual({"height": 640, "width": 640}, mean=_IMAGENET[0], std=_IMAGENET[1], normalizes=False),
    "Idefics3": Usual({"longest_edge": 1456}, _LANCZOS),
    "SmolVLM": Usual({"longest_edge": 1456}, _LANCZOS),
    "Gemma3": Usual({"height": 224, "width": 224}),
}
"""Stem of ``…ImageProcessor`` → what it does."""

_ENDS = ("ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor")


@dataclass(frozen=True, slots=True)
class Settings:
    """A processor's settings, its class's own where the file says nothing.

    Attributes:
        stem: of the class, a key of :data:`PROCESSORS`.
        usual: what that class does by itself.
        given: the file.
        where: file and origin, for messages.
    """

    stem: str
    usual: Usual
    given: Mapping[str, Any]
    where: str

    def on(self, name: str, *, usual: bool) -> bool:
        """A switch such as ``do_resize``.

        Raises:
            ModelError: it is neither true nor false.
        """
        value = self.given.get(name)
        if value is None:
            return usual
        if not isinstance(value, bool):
            raise self.refused(name, "true or false")
        return value

    def number(self, name: str, usual: float) -> float:
        """A number above zero.

        Raises:
            ModelError: it is none.
        """
        value = self.given.get(name)
        if value is None:
            return usual
        if isinstance(value, bool) or not _is_number(value) or value <= 0:
            raise self.refused(name, "a number above 0")
        return float(value)

    def channels(self, name: str, usual: tuple[float, float, float]) -> tuple[float, float, float]:
        """One number for each of three channels; one alone is for all of them.

        Raises:
            ModelError: it is neither.
        """
        value = self.given.get(name)
        if value is None:
            return usual
        values = value if isinstance(value, list) else [value] * 3
        if len(values) != 3 or not all(_is_number(v) for v in values):
            raise self.refused(name, "one number a channel of RGB")
        return float(values[0]), float(values[1]), float(values[2])

    def edges(self, name: str, usual: Mapping[str, int] | None) -> Mapping[str, int]:
        """A size as an object of sides in pixels; files of older versions have one number, or two.

        Raises:
            ModelError: it is none of these.
        """
        value = self.given.get(name)
        if value is None:
            value = usual
        if isinstance(value, list) and len(value) == 2:
            value = {"height": value[0], "width": value[1]}
        if isinstance(value, int) and not isinstance(value, bool):
            square = self.usual.squares or name == "crop_size"
            value = {"height": value, "width": value} if square else {"shortest_edge": value}
            if self.usual.longest is not None and "shortest_edge" in value:
                value["longest_edge"] = self.given.get("max_size") or self.usual.longest
        if not isinstance(value, Mapping) or not value:
            raise self.refused(name, "sides in pixels")
        sides = {key: side for key, side in value.items() if side is not None}
        if not all(isinstance(side, int) and 1 <= side <= 16384 for side in sides.values()):
            raise self.refused(name, "sides of 1 to 16384 pixels")
        return sides

    def refused(self, name: str, expected: str) -> ModelError:
        """What is said of a field that cannot be followed."""
        return ModelError(
            f"{self.where}: {name}: expected {expected}, got {repr(self.given.get(name))[:200]}"
        )


def _is_number(value: Any) -> bool:  # noqa: ANN401 (JSON)
    """Whether it is one that any float32 computation can be done with; JSON has longer ones, and NaN."""
    return isinstance(value, int | float) and -_LARGEST < value < _LARGEST


def read_settings(folder: HfFolder) -> Settings:
    """The settings of a folder's image processor.

    Raises:
        ModelError: there are none, or of a class that is not known here.
    """
    given: Any
    if folder.has(FILE):
        name, given = FILE, folder.read_json(FILE)
    elif folder.has(COMBINED):
        name, given = COMBINED, folder.read_json(COMBINED).get("image_processor")
    else:
        name, given = FILE, None
    if not isinstance(given, dict):
        raise ModelError(
            f"{folder.origin}: how its pictures are prepared is not known: expected {FILE}",
            "save the processor that belongs to it into the folder",
        )
    where = f"{folder.origin}: {name}"
    told = given.get("image_processor_type") or given.get("feature_extractor_type")
    stem = _stem(told) if isinstance(told, str) else _by_model(folder)
    if stem not in PROCESSORS:
        raise ModelError(
            f"{where}: image_processor_type: got {told!r}, which edgekit does not know",
            f"known are {', '.join(f'{key}ImageProcessor' for key in PROCESSORS)}",
        )
    return Settings(stem, PROCESSORS[stem], given, where)


def _stem(name: str) -> str:
    for end in _ENDS:
        if name.endswith(end):
            return name.removesuffix(end)
    return name


_BY_MODEL = {
    "vit": "ViT", "swin": "ViT", "deit": "DeiT", "resnet": "ConvNext", "convnext": "ConvNext", "convnextv2": "ConvNext",
    "regnet": "ConvNext", "efficientnet": "EfficientNet", "mobilenet_v1": "MobileNetV1", "mobilenet_v2": "MobileNetV2",
    "detr": "Detr", "table-transformer": "Detr", "yolos": "Yolos", "rt_detr": "RTDetr", "d_fine": "RTDetr",
    "idefics3": "Idefics3", "smolvlm": "SmolVLM", "gemma3": "Gemma3",
}  # fmt: skip
"""``model_type`` → processor, as transformers chooses for files that name none."""


def _by_model(folder: HfFolder) -> str:
    kind = folder.config.get("model_type")
    if not isinstance(kind, str) or kind not in _BY_MODEL:
        raise ModelError(
            f"{folder.origin}: {FILE} names no image_processor_type, nor does {CONFIG} tell: {kind!r}"
        )
    return _BY_MODEL[kind]
