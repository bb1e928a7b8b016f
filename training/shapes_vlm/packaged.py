"""The pictures and questions of PyPI's easy-vqa 1.0 (MIT), read out of its wheel."""

import io
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from edgekit_export.recipe import Package
from training.shapes_vlm.questions import Turn

EASY_VQA = Package(
    distribution="easy-vqa",
    version="1.0",
    sha256="fcb51b309b78c7b00f97b64cdbcbcf5c105f94da1b39c0796cee5a787c4f650f",
)


class Pictured(NamedTuple):
    """One of the package's pictures (64 × 64 RGB) and all that it asks about it."""

    picture: Image.Image
    turns: list[Turn]


def packaged(wheel: Path, split: str) -> list[Pictured]:
    """All pictures of a split ("train" or "test"), in the order of their numbers."""
    folder = f"easy_vqa/data/{split}"
    with zipfile.ZipFile(wheel) as archive:
        turns: dict[int, list[Turn]] = {}
        for question, answer, number in json.loads(archive.read(f"{folder}/questions.json")):
            turns.setdefault(number, []).append(Turn(question, answer))
        return [
            Pictured(_picture(archive.read(f"{folder}/images/{number}.png")), turns[number])
            for number in sorted(turns)
        ]


def _picture(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGB")
