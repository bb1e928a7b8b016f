"""What ties the parts of a manifest together: references, sizes, names, orders. Pure.

The schema has checked types and ranges of single fields before. Work is bounded by the manifest's own size.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, SizeBoxes
from edgekit.bundle.manifest import (
    ActivityHead,
    ClassHead,
    CtcHead,
    DecoderInput,
    Drop,
    FeaturesHead,
    Golden,
    ImageInput,
    LogitsHead,
    Manifest,
    Model,
    Normalize,
    ResizeHeight,
    ResizeMultiple,
    SoundInput,
    TextInput,
    TilesInput,
    TokenHead,
    Variant,
    carried_pairs,
)
from edgekit.bundle.messages import some_of
from edgekit.bundle.paths import first_fault
from edgekit.bundle.sound_input import LogMel
from edgekit.bundle.tiles_input import MAX_TILES_A_SIDE
from edgekit.errors import BundleError

ITEM_BYTES = {"uint8": 1, "int8": 1, "int32": 4, "int64": 8, "float32": 4, "float16": 2}
"""Bytes of one element, by the dtype of a golden output."""

_GOLDEN_USES = {".png": "picture", ".txt": "passage", ".wav": "sound"}
"""Ending of a golden input → what it is used for."""

GOLDEN_USES = frozenset({*_GOLDEN_USES.values(), "probe"})
"""What the members of golden vectors are used for."""

_ODD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys or a page turns round: control characters but LF, line separators, bidi overrides."""


def check_manifest(manifest: Manifest) -> None:
    """Checks all rules that one field alone cannot show.

    Raises:
        BundleError: the first rule that is broken: where, got, expected.
    """
    _check_plain(manifest, "manifest.json")
    fault = first_fault(file.path for file in manifest.files)
    if fault:
        raise _broken("files", fault)
    sizes = {file.path: file.size for file in manifest.files}
    uses = member_uses(manifest)
    _check_coverage(sizes, uses)
    for file in manifest.files:
        if uses[file.path] in ("onnx", "tflite", "external") and not file.aligned:
            raise _broken(f"files, {file.path!r}", "is a model file and not aligned")
    _check_variants(manifest, sizes)
    variants = {variant.name: variant for variant in manifest.variants}
    for index, golden in enumerate(manifest.golden):
        _check_golden(f"golden[{index}]", golden, variants, sizes)
        _check_question(f"golden[{index}]", golden, manifest.task)
    for index, evidence in enumerate(manifest.evidence):
        _check_named(f"evidence[{index}]", evidence.variant, variants)
        _check_drop(f"evidence[{index}].drop", evidence.drop)
    if manifest.card.task != manifest.task:
        raise _broken("card.task", f"is {manifest.card.task!r}, expected the bundle's {manifest.task!r}")


def variant_bytes(models: Iterable[Model], sizes: Mapping[str, int]) -> int:
    """Bytes of a variant's model files and their external data, each file once.

    Args:
        models: the variant's graphs.
        sizes: member path → bytes.
    """
    return sum(sizes[path] for path in {path for model in models for path in (model.path, *model.external)})


def model_paths(manifest: Manifest) -> frozenset[str]:
    """Members that an engine maps: model files and their external data. These are aligned."""
    models = [model for variant in manifest.variants for model in variant.models.values()]
    return frozenset(path for model in models for path in (model.path, *model.external))


def member_uses(manifest: Manifest) -> dict[str, str]:
    """Member path → what it is for.

    One of ``onnx``, ``tflite``, ``external``, ``text`` (labels, alphabet, chat template), ``tokenizer``, ``notice``,
    ``picture``, ``passage`` (a golden text), ``sound``, ``probe``.

    Raises:
        BundleError: one member is used in two ways, so that no check would fit both.
    """
    uses: dict[str, str] = {}
    for path, use in _references(manifest):
        if uses.setdefault(path, use) != use:
            raise _broken("files", f"{path!r} is used as {uses[path]} and as {use}")
    return uses


def _references(manifest: Manifest) -> Iterable[tuple[str, str]]:
    for variant in manifest.variants:
        for model in variant.models.values():
            yield model.path, model.format
            yield from ((path, "external") for path in model.external)
            if isinstance(model.input, TextInput):
                yield model.input.tokenizer, "tokenizer"
            if isinstance(model.head, TokenHead | LogitsHead):
                yield model.head.tokenizer, "tokenizer"
            if isinstance(model.head, LogitsHead) and model.head.chat_template is not None:
                yield model.head.chat_template, "text"
            if isinstance(model.head, ClassHead | DetectHead):
                yield model.head.labels, "text"
            elif isinstance(model.head, CtcHead):
                yield model.head.alphabet, "text"
    for golden in manifest.golden:
        yield golden.input, _golden_use(golden.input)
        yield from ((expected.probe, "probe") for expected in golden.expected)
    yield from ((path, "notice") for path in manifest.card.notices)


def _golden_use(path: str) -> str:
    for ending, use in _GOLDEN_USES.items():
        if path.endswith(ending):
            return use
    raise _broken("golden", f"input {path!r}, expected it to end in {', '.join(_GOLDEN_USES)}")


def _check_coverage(sizes: Mapping[str, int], uses: Mapping[str, str]) -> None:
    for path in uses:
        if path not in sizes:
            raise _broken("files", f"{path!r} is referred to, expected it among the files")
    for path in sizes:
        if path not in uses:
            raise _broken("files", f"{path!r} is not referred to by any part of the manifest")


def _check_variants(manifest: Manifest, sizes: Mapping[str, int]) -> None:
    names = [variant.name for variant in manifest.variants]
    if len(set(names)) != len(names):
        raise _broken("variants", f"names are {', '.join(names)}, expected each once")
    for variant in manifest.variants:
        where = f"variant {variant.name!r}"
        total = variant_bytes(variant.models.values(), sizes)
        if variant.bytes != total:
            raise _broken(where, f"bytes is {variant.bytes}, expected the sum of its model files, {total}")
        for role, model in variant.models.items():
            _check_model(f"{where}, {role!r}", model)
        _check_features(where, variant)
        if variant.drop is not None:
            _check_drop(f"{where}, drop", variant.drop)
    _check_shared_models(manifest.variants)


def _check_shared_models(variants: Iterable[Variant]) -> None:
    """A model file that several variants share has the same external data in all of them."""
    external: dict[str, tuple[str, ...]] = {}
    for variant in variants:
        for model in variant.models.values():
            if external.setdefault(model.path, model.external) != model.external:
                what = f"{model.path!r} has other external data than elsewhere"
                raise _broken(f"variant {variant.name!r}", what)


def _check_model(where: str, model: Model) -> None:
    folder = model.path.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    if model.external and model.format != "onnx":
        raise _broken(where, f"format {model.format} has no external data, got {some_of(model.external)}")
    if len(set(model.external)) != len(model.external):
        raise _broken(where, f"external is {some_of(model.external)}, expected each path once")
    for path in model.external:
        if not path.startswith(prefix):
            raise _broken(where, f"external data {path!r} lies outside the model's folder {folder!r}")
    if isinstance(model.input, ImageInput):
        _check_image(where, model.input)
    elif isinstance(model.input, SoundInput):
        _check_sound(where, model.input)
    pairs = carried_pairs(model.input)
    names = [name for pair in pairs for name in (f"input {pair.input}", f"output {pair.output}")]
    if len(set(names)) != len(names):
        raise _broken(where, f"carried is {some_of(names)}, expected each once")
    if isinstance(model.input, DecoderInput) != isinstance(model.head, LogitsHead):
        raise _broken(where, "expected a decoder input and a logits_head together")
    if isinstance(model.input, DecoderInput):
        _check_decoder(where, model.input)
    if isinstance(model.head, LogitsHead):
        _check_logits(where, model.head)
    if isinstance(model.input, TilesInput) and isinstance(model.head, FeaturesHead):
        _check_tiles(where, model.input, model.head)
    elif isinstance(model.input, TilesInput) or isinstance(model.head, FeaturesHead):
        raise _broken(where, "expected a tiles input and a features_head together")
    if isinstance(model.head, ActivityHead) and not model.head.end_threshold <= model.head.threshold:
        thresholds = f"{model.head.end_threshold:g} and {model.head.threshold:g}"
        raise _broken(where, f"end_threshold and threshold are {thresholds}, expected the lower one first")
    if isinstance(model.head, DetectHead):
        _check_detect_head(f"{where}, detect_head", model.head)


def _check_detect_head(where: str, head: DetectHead) -> None:
    if head.peaks and isinstance(head.boxes, AbsoluteBoxes):
        raise _broken(where, "peaks: expected boxes relative to cells, got absolute ones, which have no map")
    if head.peaks and any(level.anchors > 1 for level in head.levels):
        raise _broken(where, "peaks: expected one position a cell, got levels with anchors")
    if head.overlaps == "blend" and (head.iou_threshold is None or head.min_score == 0):
        raise _broken(where, "overlaps: expected iou_threshold and a min_score above 0 to blend by")
    powers = head.objectness_power, head.score_power
    if powers != (1, 1) and all(level.objectness is None for level in head.levels):
        raise _broken(where, f"powers are {powers[0]:g} and {powers[1]:g}, expected 1 without objectness")
    for index, level in enumerate(head.levels):
        where_level = f"{where}, levels[{index}]"
        for name in ("boxes", "offset"):
            part = getattr(level, name)
            if part is not None and part.activation != "none":
                raise _broken(where_level, f"{name}: activation is {part.activation}, expected none")
        if (level.offset is not None) and not isinstance(head.boxes, SizeBoxes):
            raise _broken(where_level, "offset: expected only for boxes of code sizes")
        if level.objectness is not None and level.objectness.activation == "softmax":
            raise _broken(where_level, "objectness: one channel has no softmax")


def _check_decoder(where: str, given: DecoderInput) -> None:
    if given.chunk > given.context:
        raise _broken(where, f"chunk is {given.chunk}, expected at most the context's {given.context}")
    inputs = [given.tensor, given.rows, given.seqlens_k, given.total_sequence_length]
    inputs += [pair.input for pair in given.past]
    inputs += [] if given.both_ways is UNSET else [given.both_ways]
    if len(set(inputs)) != len(inputs):
        raise _broken(where, f"inputs are {some_of(inputs)}, expected each once")


def _check_logits(where: str, head: LogitsHead) -> None:
    beyond = [token for token in (head.first, *head.ends) if token is not None and token >= head.vocabulary]
    if beyond:
        raise _broken(where, f"names token {beyond[0]}, expected tokens below {head.vocabulary}")


def _check_tiles(where: str, tiles: TilesInput, head: FeaturesHead) -> None:
    if tiles.split and tiles.longest is None:
        raise _broken(where, "tiles: split, expected longest with it")
    if tiles.split and head.layout != "idefics3":
        raise _broken(where, f"tiles: split, layout {head.layout} has no marks for rows and columns")
    if tiles.tiles_a_side > MAX_TILES_A_SIDE:
        got = f"longest is {tiles.longest} and size {tiles.size}, which is {tiles.tiles_a_side} tiles a side"
        raise _broken(where, f"tiles: {got}, expected up to {MAX_TILES_A_SIDE}")


def _check_features(where: str, variant: Variant) -> None:
    """Features stand where a token of the decoder stands, and a tile finds room in its context, and in a call."""
    heads = [model.head for model in variant.models.values() if isinstance(model.head, FeaturesHead)]
    decoders = [model.input for model in variant.models.values() if isinstance(model.input, DecoderInput)]
    for decoder in decoders:
        _check_both_ways(where, decoder, heads)
    for head in heads:
        for model in variant.models.values():
            if isinstance(model.head, LogitsHead) and head.placeholder >= model.head.vocabulary:
                what = (
                    f"placeholder is token {head.placeholder}, expected tokens below {model.head.vocabulary}"
                )
                raise _broken(where, f"features_head: {what}")
            if isinstance(model.input, DecoderInput) and head.tokens >= model.input.context:
                what = f"{head.tokens} tokens a tile, expected fewer than the context's {model.input.context}"
                raise _broken(where, f"features_head: {what}")


def _check_both_ways(where: str, decoder: DecoderInput, heads: Sequence[FeaturesHead]) -> None:
    """A decoder knows calls whose tokens look at each other both ways where pictures need them, and nowhere else."""
    wanted = [head for head in heads if head.both_ways]
    if decoder.both_ways is UNSET and wanted:
        what = f"pictures of layout {wanted[0].layout} look both ways, expected the decoder's both_ways"
        raise _broken(where, f"features_head: {what}")
    if decoder.both_ways is not UNSET and len(wanted) != max(len(heads), 1):
        raise _broken(where, "both_ways: expected only beside pictures that look both ways")
    for head in wanted:
        if head.tokens > decoder.chunk:
            what = f"{head.tokens} tokens a tile, expected at most a call's {decoder.chunk}"
            raise _broken(where, f"features_head: {what}")


def _check_sound(where: str, sound: SoundInput) -> None:
    if sound.window_samples is not None and sound.min_samples > sound.window_samples:
        what = f"min_samples is {sound.min_samples}, expected at most the window's {sound.window_samples}"
        raise _broken(where, what)
    if isinstance(sound.features, LogMel):
        shortest = (
            sound.window_samples if sound.pad == "window" and sound.window_samples else sound.min_samples
        )
        least = max(sound.features.hop, sound.features.window // 2 + 1)
        if shortest < least:
            raise _broken(where, f"log_mel: windows may have {shortest} samples, expected at least {least}")


def _check_image(where: str, image: ImageInput) -> None:
    for index, op in enumerate(image.ops):
        if isinstance(op, Normalize):
            if image.dtype != "float32" or index != len(image.ops) - 1:
                raise _broken(where, "normalize: expected it last and only before a float32 input")
            if not all(value > 0 for value in op.std):
                raise _broken(where, f"normalize: std is {op.std}, expected each above 0")
        elif isinstance(op, ResizeMultiple) and not max(op.min_side, op.multiple) <= op.max_side:
            raise _broken(where, f"resize_multiple: expected min_side and multiple up to max_side, got {op}")
        elif isinstance(op, ResizeHeight) and not op.min_width <= op.max_width:
            raise _broken(where, f"resize_height: expected min_width up to max_width, got {op}")


def _check_golden(
    where: str, golden: Golden, variants: Mapping[str, Variant], sizes: Mapping[str, int]
) -> None:
    roles = _check_named(where, golden.variant, variants).models
    if golden.margin is not None and not golden.margin >= 0:
        raise _broken(where, f"margin is {golden.margin}, expected at least 0")
    for expected in golden.expected:
        if expected.role not in roles:
            raise _broken(where, f"role {expected.role!r}, variant {golden.variant!r} has {some_of(roles)}")
        total, size = math.prod(expected.shape), sizes[expected.probe]
        count, rest = divmod(size, ITEM_BYTES[expected.dtype])
        if rest or not min(total, 1) <= count <= total:
            what = f"probe {expected.probe!r} has {size} bytes, which is no number of {expected.dtype}"
            raise _broken(where, f"{what} from 1 to {total}")


def _check_question(where: str, golden: Golden, task: str) -> None:
    """Pictures of the task that answers questions come with one, and no other input does."""
    wanted = task == "vision_language" and _golden_use(golden.input) == "picture"
    if wanted != bool(golden.question.strip()):
        expected = "a question about the picture" if wanted else "no question"
        raise _broken(where, f"question is {golden.question!r}, expected {expected}")


def _check_named(where: str, name: str, variants: Mapping[str, Variant]) -> Variant:
    if name not in variants:
        raise _broken(where, f"variant {name!r}, expected one of {some_of(variants)}")
    return variants[name]


def _check_drop(where: str, drop: Drop) -> None:
    low, high = drop.interval
    if not low <= high:
        raise _broken(where, f"interval is [{low}, {high}], expected the lower end first")


def _check_plain(value: Any, where: str) -> None:  # noqa: ANN401 (any part of the manifest)
    """Every number is finite, and no text holds characters that a terminal would obey."""
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _check_plain(getattr(value, field), f"{where}, {field}")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _check_plain(item, f"{where}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_plain(key, f"{where}, key")
            _check_plain(item, f"{where}, {key!r}")
    elif isinstance(value, str) and (odd := _ODD.search(value)):
        raise _broken(where, f"holds the control character U+{ord(odd[0]):04X}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _broken(where, f"is {value}, expected a finite number")


def _broken(where: str, what: str) -> BundleError:
    return BundleError(f"manifest.json: {where}: {what}", "export the bundle again")
