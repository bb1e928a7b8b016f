"""What members have to look like before anything uses them, by what they are used for."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from edgekit.bundle.check import member_uses
from edgekit.bundle.manifest import Manifest
from edgekit.bundle.onnx_model import check_onnx
from edgekit.bundle.ranges import Source
from edgekit.bundle.tflite_model import check_tflite
from edgekit.errors import BundleError

MAX_TEXT_BYTES = 16 * 2**20
MAX_TOKENIZER_BYTES = 64 * 2**20
MAX_PICTURE_SIDE = 16384
MAX_SOUND_BYTES = 16 * 2**20
_ALLOWED = {
    "text": "\n\t",
    "notice": "\n\t\r\f",  # licence texts come as their authors wrote them
    "passage": "\n\t",
}
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def check_contents(manifest: Manifest, source: Callable[[str], Source], name: str) -> None:
    """Checks models, texts, tokenizers, pictures and sounds of a bundle; raw tensors are covered by their size.

    Args:
        manifest: the bundle's manifest, checked.
        source: gives the bytes of a member.
        name: what to call the bundle in messages.

    Raises:
        BundleError: a member that must not be used.
    """
    external = {m.path: m.external for v in manifest.variants for m in v.models.values()}
    sizes = {file.path: file.size for file in manifest.files}
    try:
        for path, use in sorted(member_uses(manifest).items()):
            if use == "onnx":
                folder = path.rpartition("/")[0]
                start = len(folder) + 1 if folder else 0
                check_onnx(source(path), path, {p[start:]: sizes[p] for p in external[path]})
            elif use == "tflite":
                check_tflite(source(path), path)
            elif use in _ALLOWED:
                _check_text(source(path), path, _ALLOWED[use])
            elif use == "tokenizer":
                _check_tokenizer(source(path), path)
            elif use == "picture":
                _check_picture(source(path), path)
            elif use == "sound":
                _check_sound(source(path), path)
    except BundleError as error:
        raise BundleError(f"{name}: {error.message}", error.remedy) from error


def _check_text(source: Source, path: str, allowed: str) -> None:
    if not 0 < source.size <= MAX_TEXT_BYTES:
        raise BundleError(f"{path}: {source.size} bytes of text, expected 1 to {MAX_TEXT_BYTES}")
    data = source.read(0, source.size)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleError(f"{path}: byte {error.start} is not UTF-8") from error
    odd = next((c for c in text if (c < " " and c not in allowed) or "\x7f" <= c <= "\x9f"), None)
    if odd is not None:
        raise BundleError(f"{path}: holds the control character U+{ord(odd):04X}, expected text and LF")


def _check_tokenizer(source: Source, path: str) -> None:
    """It is a JSON object; the library that reads it checks the rest."""
    if not 0 < source.size <= MAX_TOKENIZER_BYTES:
        raise BundleError(f"{path}: {source.size} bytes, expected a tokenizer of 1 to {MAX_TOKENIZER_BYTES}")
    try:
        msgspec.json.decode(source.read(0, source.size), type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path}: expected a JSON object: {error}") from error


def _check_picture(source: Source, path: str) -> None:
    head = source.read(0, 25)
    if not head.startswith(_PNG_MAGIC) or len(head) < 25:
        raise BundleError(f"{path}: starts with {head[:8]!r}, expected a PNG picture")
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if not (1 <= width <= MAX_PICTURE_SIDE and 1 <= height <= MAX_PICTURE_SIDE):
        raise BundleError(f"{path}: is {width}×{height} pixels, expected sides of 1 to {MAX_PICTURE_SIDE}")
    if head[24] != 8:
        raise BundleError(f"{path}: has {head[24]} bits a channel, expected 8")


def _check_sound(source: Source, path: str) -> None:
    """A WAV of one channel, PCM of 16 bits; what decodes it checks the rest."""
    head = source.read(0, min(source.size, 44))
    if source.size > MAX_SOUND_BYTES or len(head) < 44 or head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        what = f"{source.size} bytes that start with {head[:4]!r}"
        raise BundleError(f"{path}: {what}, expected a WAV file of up to {MAX_SOUND_BYTES}")
    form = [int.from_bytes(head[i : i + 2], "little") for i in (20, 22, 34)]
    if form != [1, 1, 16]:
        raise BundleError(
            f"{path}: encoding {form[0]}, {form[1]} channels of {form[2]} bits, expected 1, 1 and 16"
        )
