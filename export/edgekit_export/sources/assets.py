"""Label lists and alphabets of named models, made from files of packages."""

from __future__ import annotations

from collections.abc import Callable

import onnx
from google.protobuf.message import DecodeError

from edgekit.errors import DataError, ModelError

_TIMM_INFO = "timm/data/_info/"


def imagenet_labels(read: Callable[[str], bytes]) -> bytes:
    """ImageNet-1k's class names in the order of the classes, one a line.

    Args:
        read: gives a file of timm's wheel, which lists WordNet synsets in class order and their lemmas.

    Raises:
        DataError: a class has no name.
    """
    synsets = read(_TIMM_INFO + "imagenet_synsets.txt").decode().split()
    lines = read(_TIMM_INFO + "imagenet_synset_to_lemma.txt").decode().splitlines()
    lemma = dict(line.split("\t", 1) for line in lines if "\t" in line)
    if nameless := [synset for synset in synsets if synset not in lemma]:
        raise DataError(
            f"imagenet_synset_to_lemma.txt: expected a line 'synset<tab>name' for {nameless[0]}, got none"
        )
    return "".join(f"{lemma[synset]}\n" for synset in synsets).encode()


_COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
"""COCO's 80 categories in the order of their ids (Lin et al. 2014)."""


def coco_labels() -> bytes:
    """COCO's 80 categories, one a line."""
    return "".join(f"{name}\n" for name in _COCO).encode()


def onnx_characters(model: bytes, name: str) -> bytes:
    """The alphabet that RapidOCR stores in a recogniser's metadata, one symbol a line.

    Raises:
        ModelError: the model has none, or is no ONNX model.
    """
    try:
        entries = onnx.load_model_from_string(model).metadata_props
    except DecodeError as error:
        raise ModelError(f"{name}: is no ONNX model, or is truncated") from error
    for entry in entries:
        if entry.key == "character":
            return entry.value.encode() + b"\n"
    raise ModelError(f"{name}: expected its alphabet in the metadata key 'character', found none")
