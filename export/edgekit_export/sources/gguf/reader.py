"""A GGUF file as a :class:`TextModel`: its matrices in the very codes that llama.cpp runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit.types import F32, U8
from edgekit_export.architectures.architecture import Architecture, check_shape, tensor_shapes
from edgekit_export.architectures.registry import by_gguf_name
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import EMBEDDING, HEAD, DecoderShape
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.gguf.blocks import EXACT, read_blocks
from edgekit_export.sources.gguf.card import gguf_card
from edgekit_export.sources.gguf.header import Entry, Header, read_header
from edgekit_export.sources.gguf.tokenizer import tokenizer_json
from edgekit_export.sources.gguf.vocabulary import Vocabulary, read_vocabulary
from edgekit_export.sources.notices import license_notices
from edgekit_export.sources.packages import file_sha256
from edgekit_export.sources.source import bundle_name
from edgekit_export.sources.text_model import TextModel, Words

_FLOATS = ("F32", "F16", "BF16")


def open_gguf(path: Path, *, origin: str = "", requantize: bool = False) -> TextModel:
    """Reads what a GGUF file says of itself; tensors are read when they are asked for.

    Matrices in blocks of codes come as :class:`Blockwise`, equal to the bit; floats as float32. Rows of queries and
    keys come in the order that transformers has.

    Args:
        path: the file.
        origin: what was asked for, as the lock names it; the path without.
        requantize: types that :class:`Blockwise` does not hold are given as float32, which an export then rounds anew.

    Raises:
        ModelError: the file is damaged, is no GGUF, of an architecture or with a tokenizer that is not supported, lacks
            tensors or has others, or has such types and ``requantize`` is not set.
        EnvironmentLacks: such types, and the package that knows them is not installed.
    """
    header = read_header(path)
    architecture = by_gguf_name(header.metadata.get("general.architecture"), path.name)
    shape = _shape(header, architecture, path.name)
    check_shape(shape, path.name)
    words = read_vocabulary(header.metadata, path.name)
    if len(words.tokens) > shape.vocabulary:
        raise ModelError(
            f"{path.name}: has {len(words.tokens)} tokens and an embedding of {shape.vocabulary}"
        )
    places = _places(header, architecture, shape, path.name)
    remarks = _remarks(places, path.name, requantize=requantize)
    notices = license_notices(header.metadata.get("general.license"))
    parameters = sum(math.prod(entry.shape) for entry in places.values())
    return TextModel(
        name=bundle_name(path.stem),
        origin=origin or str(path),
        shape=shape,
        read=_Tensors(path, architecture, shape, places),
        words=_words(header, words, path.name),
        card=gguf_card(header.metadata, path.stem, path.name, parameters, tuple(notices)),
        sha256=file_sha256(path),
        notices=notices,
        remarks=remarks,
    )


def _shape(header: Header, architecture: Architecture, where: str) -> DecoderShape:
    embedding = header.tensors.get(architecture.gguf_name(EMBEDDING))
    if embedding is None:
        raise ModelError(
            f"{where}: has no tensor {architecture.gguf_name(EMBEDDING)}", "it is no whole text model"
        )
    tied = architecture.gguf_name(HEAD) not in header.tensors
    return architecture.read_gguf(Settings(header.metadata, where), embedding.shape[0], tied)


def _words(header: Header, known: Vocabulary, where: str) -> Words:
    template = header.metadata.get("tokenizer.chat_template", "")
    if not isinstance(template, str):
        raise ModelError(f"{where}: tokenizer.chat_template: expected text, got {type(template).__name__}")
    texts = {f"{name}_token": known.tokens[i] for name, i in known.special.items()}
    return Words(tokenizer_json(known, where), template, known.first, known.ends, texts)


def _places(header: Header, architecture: Architecture, shape: DecoderShape, where: str) -> dict[str, Entry]:
    """Our name → place of each tensor: all that the architecture has, of the right shape, and no others."""
    wanted = tensor_shapes(shape)
    found: dict[str, Entry] = {}
    for name, size in wanted.items():
        entry = header.tensors.get(architecture.gguf_name(name))
        if entry is None:
            raise ModelError(
                f"{where}: has no tensor {architecture.gguf_name(name)}", "it is no whole text model"
            )
        if entry.shape != size:
            raise ModelError(f"{where}: tensor {entry.name}: expected shape {size}, got {entry.shape}")
        found[name] = entry
    others = sorted(header.tensors.keys() - {entry.name for entry in found.values()})
    if others:
        raise ModelError(
            f"{where}: has {len(others)} tensors that {architecture.name} is not supported with, "
            f"first {others[0][:80]!r}"
        )
    return found


def _remarks(places: dict[str, Entry], where: str, *, requantize: bool) -> tuple[str, ...]:
    """A line for each type that cannot be held exactly."""
    inexact = [entry for entry in places.values() if entry.kind.name not in (*EXACT, *_FLOATS)]
    flat = [e for e in places.values() if len(e.shape) == 1 and e.kind.name not in _FLOATS]
    if flat:
        raise ModelError(f"{where}: tensor {flat[0].name}: expected floats, got {flat[0].kind.name}")
    if not inexact:
        return ()
    kinds = sorted({entry.kind.name for entry in inexact})
    if not requantize:
        raise ModelError(
            f"{where}: tensor {inexact[0].name}: {inexact[0].kind.name} cannot be held exactly in a bundle",
            f"add --requantize to round it anew, or take a file without {', '.join(kinds)}",
        )
    try:
        import gguf  # noqa: F401
    except ImportError as error:
        raise EnvironmentLacks(
            f"{where}: {', '.join(kinds)}: {error}", "pip install gguf on the workstation"
        ) from error
    return tuple(
        f"{sum(e.kind.name == kind for e in inexact)} tensors of type {kind} are not held exactly"
        for kind in kinds
    )


@dataclass(frozen=True, slots=True)
class _Tensors:
    """Reads one tensor at a time, by our name."""

    path: Path
    architecture: Architecture
    shape: DecoderShape
    places: dict[str, Entry]

    def __call__(self, name: str) -> F32 | Blockwise:
        entry = self.places.get(name)
        if entry is None:
            raise ModelError(f"{self.path.name}: has no tensor {name}")
        index = self.architecture.gguf_rows(name, self.shape)
        found = self._read(entry)
        if index is None:
            return found
        return found.rows(index) if isinstance(found, Blockwise) else found[index]

    def _read(self, entry: Entry) -> F32 | Blockwise:
        data = self._bytes(entry)
        if entry.kind.name not in EXACT:
            floats = _floats(entry, data)
            if not np.isfinite(floats).all():
                raise self._not_finite(entry)
            return floats
        made = read_blocks(entry.kind.name, data, (entry.shape[0], entry.shape[1]))
        if not np.isfinite(made.scales).all() or (
            made.minima is not None and not np.isfinite(made.minima).all()
        ):
            raise self._not_finite(entry)
        return made

    def _bytes(self, entry: Entry) -> U8:
        try:
            data: U8 = np.fromfile(self.path, np.uint8, entry.bytes, offset=entry.start)
        except OSError as error:
            raise ModelError(f"{self.path}: cannot be read: {error.strerror}") from error
        if data.size != entry.bytes:
            raise ModelError(
                f"{self.path.name}: tensor {entry.name}: expected {entry.bytes} bytes, got {data.size}"
            )
        return data

    def _not_finite(self, entry: Entry) -> ModelError:
        return ModelError(
            f"{self.path.name}: tensor {entry.name}: has values that are not finite", "it is damaged"
        )


def _floats(entry: Entry, data: U8) -> F32:
    made: F32
    if entry.kind.name == "F32":
        made = data.view("<f4").astype(np.float32)
    elif entry.kind.name == "F16":
        made = data.view("<f2").astype(np.float32)
    elif entry.kind.name == "BF16":
        made = (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        made = _dequantized(entry, data)
    return made.reshape(entry.shape)


def _dequantized(entry: Entry, data: U8) -> F32:
    """Values of types that no :class:`Blockwise` holds, from gguf-py."""
    from gguf import GGMLQuantizationType, dequantize

    named: Callable[[str], GGMLQuantizationType] = GGMLQuantizationType.__getitem__
    made: F32 = dequantize(data.reshape(entry.shape[0], -1), named(entry.kind.name)).astype(np.float32)
    return made
