"""The schema of ``manifest.json``, version 1. ``docs/bundle-format.md`` says what each part promises.

Unknown keys are refused: a reader that does not know a rule must not pretend to follow it. Structure
(types, ranges of single fields) is checked here; what ties parts together is checked in ``check.py``.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from edgekit.bundle.card import Card as Card
from edgekit.bundle.decoder_input import DecoderInput as DecoderInput
from edgekit.bundle.decoder_input import LogitsHead as LogitsHead
from edgekit.bundle.decoder_input import TokenInput as TokenInput
from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.fields import Byte as Byte
from edgekit.bundle.fields import Count as Count
from edgekit.bundle.fields import Line as Line
from edgekit.bundle.fields import MemberPath as MemberPath
from edgekit.bundle.fields import Name as Name
from edgekit.bundle.fields import Pixels as Pixels
from edgekit.bundle.fields import Sha256 as Sha256
from edgekit.bundle.fields import Sha256Start as Sha256Start
from edgekit.bundle.fields import Strict as Strict
from edgekit.bundle.fields import Text as Text
from edgekit.bundle.picture_input import CenterCrop as CenterCrop
from edgekit.bundle.picture_input import ImageInput as ImageInput
from edgekit.bundle.picture_input import Letterbox as Letterbox
from edgekit.bundle.picture_input import Normalize as Normalize
from edgekit.bundle.picture_input import PixelOp as PixelOp
from edgekit.bundle.picture_input import ResizeAlgorithm as ResizeAlgorithm
from edgekit.bundle.picture_input import ResizeHeight as ResizeHeight
from edgekit.bundle.picture_input import ResizeMultiple as ResizeMultiple
from edgekit.bundle.picture_input import ResizeShorter as ResizeShorter
from edgekit.bundle.picture_input import ResizeStretch as ResizeStretch
from edgekit.bundle.sound_head import ActivityHead as ActivityHead
from edgekit.bundle.sound_input import Carried as Carried
from edgekit.bundle.sound_input import SoundInput as SoundInput
from edgekit.bundle.step_input import MemoryHead as MemoryHead
from edgekit.bundle.step_input import StepInput as StepInput
from edgekit.bundle.step_input import TokenHead as TokenHead
from edgekit.bundle.tiles_input import FeaturesHead as FeaturesHead
from edgekit.bundle.tiles_input import TilesInput as TilesInput

FORMAT = "edgekit-bundle"
VERSION = 1


class File(Strict, frozen=True):
    """One member of the archive. ``aligned`` members start at a multiple of 16,384 bytes."""

    path: MemberPath
    size: Count
    sha256: Sha256
    aligned: bool = False


# ---------------------------------------------------------------------------------------- pre-processing


class TextInput(Strict, frozen=True, tag="text", tag_field="kind"):
    """How a text becomes the graph's inputs: the ids of its tokens, ``(1, tokens)``.

    Attributes:
        tokenizer: member, a ``tokenizer.json`` of the tokenizers library; the special tokens that its template
            adds are part of the input, and are kept when a text is cut.
        ids: input of the token ids.
        mask: input that is 1 for tokens and 0 for padding, if the graph has one.
        types: input of the segment of each token, if the graph has one.
        max_tokens: longer texts are cut to so many tokens.
        fixed: shorter texts are padded to ``max_tokens``, with the tokenizer's own padding.
        dtype: of all of these inputs.
    """

    tokenizer: MemberPath
    max_tokens: Annotated[int, Meta(ge=1, le=131_072)]
    ids: Line = "input_ids"
    mask: Line | None = "attention_mask"
    types: Line | None = None
    fixed: bool = False
    dtype: Literal["int64", "int32"] = "int64"


Input: TypeAlias = ImageInput | TextInput | SoundInput | StepInput | TokenInput | DecoderInput | TilesInput
"""What a graph is given; a file that lists it names its ``kind``."""


# --------------------------------------------------------------------------------------- post-processing


class ClassHead(Strict, frozen=True, tag="class_head", tag_field="op"):
    """Scores of classes. ``labels`` is a member with one label a line."""

    tensor: Line
    labels: MemberPath
    activation: Literal["softmax", "sigmoid", "none"]


class DbHead(Strict, frozen=True, tag="db_head", tag_field="op"):
    """Text regions from a probability map by differentiable binarisation (arXiv 1911.08947)."""

    tensor: Line
    threshold: Annotated[float, Meta(ge=0, le=1)]
    box_threshold: Annotated[float, Meta(ge=0, le=1)]
    unclip_ratio: Annotated[float, Meta(gt=0, le=10)]
    min_side: Pixels
    max_regions: Annotated[int, Meta(ge=1, le=10000)]
    dilate: bool = False


class CtcHead(Strict, frozen=True, tag="ctc_head", tag_field="op"):
    """Text by greedy CTC decoding.

    ``alphabet`` is a member with one symbol a line; class ``blank`` is the blank and the symbols take the
    other indices in order. With ``space_last`` a space follows the last symbol. ``activation`` makes
    probabilities of what the graph gives: an int8 graph ends in logits, which are equal to the bit on every CPU.
    """

    tensor: Line
    alphabet: MemberPath
    blank: Count
    space_last: bool
    min_score: Annotated[float, Meta(ge=0, le=1)] = 0.0
    activation: Literal["softmax", "none"] = "none"


class EmbedHead(Strict, frozen=True, tag="embed_head", tag_field="op"):
    """A vector that stands for the input, as the graph gives it; with ``normalize`` brought to length 1."""

    tensor: Line
    normalize: bool = False


Head: TypeAlias = (
    ClassHead
    | DbHead
    | CtcHead
    | DetectHead
    | EmbedHead
    | ActivityHead
    | MemoryHead
    | TokenHead
    | LogitsHead
    | FeaturesHead
)


def head_tensors(head: Head) -> tuple[str, ...]:
    """Names of the outputs that a head reads, each once."""
    if isinstance(head, DetectHead):
        return tuple(dict.fromkeys(part.tensor for part in head.parts))
    return head.tensors if isinstance(head, MemoryHead) else (head.tensor,)


def kept_outputs(given: Input, head: Head) -> tuple[str, ...]:
    """Names of the outputs that a task reads: the head's, then those that are carried to the next call; each once."""
    return tuple(dict.fromkeys([*head_tensors(head), *(pair.output for pair in carried_pairs(given))]))


def carried_pairs(given: Input) -> tuple[Carried, ...]:
    """What an input hands from call to call, or keeps in a shared buffer."""
    if isinstance(given, DecoderInput):
        return given.past
    return given.carried if isinstance(given, SoundInput | StepInput) else ()


# ----------------------------------------------------------------------------------------------- variants


class Model(Strict, frozen=True):
    """One graph of a variant: its file (and external data), what goes in, what comes out."""

    path: MemberPath
    format: Literal["onnx", "tflite"]
    input: Input
    head: Head
    external: Annotated[tuple[MemberPath, ...], Meta(max_length=4096)] = ()


class Drop(Strict, frozen=True):
    """Measured accuracy drop against full precision, reference minus candidate.

    ``metric`` names what ``value`` and ``interval`` are: ``top1``, ``cer`` in points, or ``disagreement``,
    which bounds the drop from above where there are no labels. ``unit`` is what the interval resamples: ``sample``,
    or ``source`` where sources gave several.
    """

    metric: Name
    value: float
    interval: tuple[float, float]
    confidence: Annotated[float, Meta(gt=0, lt=1)]
    n: Count
    unit: Name


class Variant(Strict, frozen=True):
    """One way to run the bundle. The first variant of the manifest is the default.

    Attributes:
        models: role → graph; ``{"model": …}`` for one-graph tasks, ``{"detect": …, "recognize": …}`` for OCR.
        bytes: sum of the sizes of this variant's model files and their external data.
    """

    name: Name
    recipe: Name
    precision: Literal["fp32", "fp16", "int8", "int4", "mixed"]
    models: Annotated[dict[Name, Model], Meta(min_length=1, max_length=16)]
    bytes: Count
    drop: Drop | None = None


# ------------------------------------------------------------------ golden vectors, evidence, lock, signature


class Expected(Strict, frozen=True):
    """What one engine call gave for a golden input; calls are listed in the order the task makes them.

    Attributes:
        role: which graph of the variant.
        output: name of the graph's output.
        dtype: of the output.
        shape: of the output.
        sha256: of the whole output, C order, little endian. With ``max_abs`` 0 it must match.
        probe: member with the output's values at the flat indices ``floor(i * size / n)``, ``i < n``, same
            dtype; its length says ``n`` (whole outputs are large: a recogniser's is a megabyte a line).
        max_abs: the largest difference allowed at the probed values. 0 means: equal to the bit.
    """

    role: Name
    output: Line
    dtype: Literal["uint8", "int8", "int32", "int64", "float32", "float16"]
    shape: Annotated[tuple[Count, ...], Meta(max_length=8)]
    sha256: Sha256
    probe: MemberPath
    max_abs: Annotated[float, Meta(ge=0)]


class Golden(Strict, frozen=True):
    """An input with what one variant makes of it.

    Attributes:
        input: member, by its ending a picture (``.png``), a text (``.txt``, UTF-8) or a sound (``.wav``).
        decision: the task's result in short, which must come out the same: the index of the best class, or
            the lines of text.
        margin: how far the decision is from changing: top-1 minus top-2 score, the smallest over the
            decisions made; null where nothing is decided. A device whose difference stays below half of it
            decides the same.
        question: about a picture, of the task ``vision_language``; empty elsewhere.
    """

    variant: Name
    input: MemberPath
    expected: Annotated[tuple[Expected, ...], Meta(min_length=1, max_length=4096)]
    decision: Annotated[str, Meta(max_length=65536)]
    margin: float | None
    question: Text = ""


class Evidence(Strict, frozen=True):
    """Summary of one accuracy report: what was measured, on what, by which runtime and CPU."""

    variant: Name
    data: Line
    data_sha256: Sha256
    drop: Drop
    agreement: float
    sqnr_db: float | None
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE", "NONE"]
    gate: float | None
    runtime: Line
    machine: Line
    cpu_features: tuple[Line, ...] = ()


RecipeValue: TypeAlias = (
    bool | int | float | Line | Annotated[tuple[Line, ...], Meta(max_length=16_384)] | dict[Line, Line]
)
"""One entry of a recipe's table, as TOML has it: layers are named in lists, or with their modes in a table."""


class Lock(Strict, frozen=True):
    """What the bundle was made from: enough to make its model files again.

    Attributes:
        source: what was exported; of a path its last part.
        weights: role → digest of the file that its weights came from.
        recipe: in words.
        calibration_sources: the first 16 digits of the SHA-256 of every picture, clip, recording or text that it was
            calibrated on, sorted: a validator refuses to measure on any of them.
        tools: distribution → version, and ``python``.
        precisions: that were asked for, in order; empty for files that were wrapped as they are.
        formats: in which each was made; empty in bundles of edgekit's first days, which cannot be made again by it.
        recipes: variant → role → the whole recipe as applied, in the exporter's own words; variants in full
            precision and wrapped ones have none.
        options: of the command line, without ``--``, that shaped the source or drew the evaluation's samples; files
            stand as their SHA-256.
        cpu_features: those that choose kernels, and so the last bits of what was calibrated on.
    """

    source: Line
    weights: dict[Line, Sha256]
    recipe: Line
    calibration_sha256: Sha256 | None
    calibration_n: Count
    evaluation_sha256: Sha256 | None
    evaluation_n: Count
    tools: dict[Line, Line]
    calibration_sources: Annotated[tuple[Sha256Start, ...], Meta(max_length=65_536)] = ()
    precisions: tuple[Literal["int8", "mixed", "fp16", "fp32", "stored", "int4"], ...] = ()
    formats: tuple[Literal["onnx", "tflite"], ...] = ()
    recipes: dict[Name, dict[Name, dict[Name, RecipeValue]]] = field(default_factory=dict)
    options: dict[Name, Line] = field(default_factory=dict)
    cpu_features: tuple[Line, ...] = ()


class Manifest(Strict, frozen=True):
    """The whole of ``manifest.json``."""

    format: Literal["edgekit-bundle"]
    version: Literal[1]
    name: Name
    task: Name
    files: Annotated[tuple[File, ...], Meta(max_length=4096)]
    variants: Annotated[tuple[Variant, ...], Meta(min_length=1, max_length=32)]
    card: Card
    lock: Lock
    golden: Annotated[tuple[Golden, ...], Meta(max_length=256)] = ()
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=256)] = ()


class DsseSignature(Strict, frozen=True):
    """One signature of a DSSE envelope: a hint at the key, and the signature in base64."""

    keyid: Text
    sig: Line


class Signature(Strict, frozen=True):
    """``signature.json``: a DSSE envelope; ``payload`` is ``manifest.json``, byte for byte, in base64."""

    payloadType: Literal["application/vnd.edgekit.manifest.v1+json"]  # noqa: N815 (DSSE's own name)
    payload: str
    signatures: Annotated[tuple[DsseSignature, ...], Meta(min_length=1, max_length=16)]
