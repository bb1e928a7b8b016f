"""Reading text: a detector finds the lines of a picture, a recogniser reads them; or the recogniser alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import CtcHead, DbHead, ImageInput, Model, Variant
from edgekit.engines.protocol import Engine, EngineOptions, Session
from edgekit.errors import BundleError
from edgekit.processing import ctc, db, quads
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import prepare
from edgekit.processing.reading_order import reading_order
from edgekit.tasks.outputs import output_index
from edgekit.tasks.pictures import image_input
from edgekit.tasks.trace import Trace
from edgekit.tasks.turn import ORIENT, load_turner
from edgekit.types import F32, Array, Frame, Kind, TextRegions

DETECT = "detect"
RECOGNIZE = "recognize"


@dataclass(frozen=True, slots=True)
class _Detector:
    session: Session
    input: ImageInput
    head: DbHead
    output: int


@dataclass(frozen=True, slots=True)
class _Recognizer:
    session: Session
    input: ImageInput
    head: CtcHead
    output: int
    classes: tuple[str, ...]


class Ocr:
    """A loaded reader; see :class:`edgekit.tasks.protocol.Task`.

    With both roles, ``detect`` and ``recognize``, the result holds every line of the picture in reading
    order; lines that come out empty or below the recogniser's ``min_score`` are left out. With ``recognize``
    alone the picture is one line, and the result holds exactly that one, whatever it reads. With ``orient`` as
    well, lines that stand on their head are turned round first; their corners begin where their text does.
    """

    name = "ocr"
    accepts: Kind = "picture"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        if RECOGNIZE not in variant.models or not set(variant.models) <= {DETECT, ORIENT, RECOGNIZE}:
            raise BundleError(
                f"variant {variant.name}: ocr expects the graphs detect and recognize, or recognize alone, "
                f"either with orient or without, got {', '.join(sorted(variant.models)) or 'none'}"
            )
        self.bundle_name = bundle_name
        self.variant = variant.name
        self.engine = f"{engine.name} {engine.version}"
        self.threads = options.threads
        self._recognizer = _load_recognizer(variant, folder, engine, options)
        self._detector = (
            _load_detector(variant, folder, engine, options) if DETECT in variant.models else None
        )
        self._turner = load_turner(variant, folder, engine, options) if ORIENT in variant.models else None
        self.sessions: Mapping[str, Session] = {RECOGNIZE: self._recognizer.session}
        if self._turner is not None:
            self.sessions = {ORIENT: self._turner.session, **self.sessions}
        if self._detector is not None:
            self.sessions = {DETECT: self._detector.session, **self.sessions}

    def __call__(self, image: Frame | Array | str | Path, trace: Trace | None = None) -> TextRegions:
        """Reads one picture; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            frame = to_frame(image)
        if self._detector is None:
            width, height = frame.size_wh
            whole = np.asarray([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
            text, score, is_turned = self._read(frame, trace)
            return TextRegions(
                np.roll(whole, 2 * is_turned, axis=1), (text,), np.asarray([score], np.float32)
            )
        found = self._find(frame, self._detector, trace)
        read: list[tuple[F32, str, float]] = []
        for quad in found:
            with trace.stage("pre"):
                line = Frame(quads.cut(frame.pixels, quad), frame.color)
            text, score, is_turned = self._read(line, trace)
            if text and score >= self._recognizer.head.min_score:
                read.append((np.roll(quad, 2 * is_turned, axis=0), text, score))
        return TextRegions(
            np.asarray([quad for quad, _, _ in read], np.float32).reshape(-1, 4, 2),
            tuple(text for _, text, _ in read),
            np.asarray([score for _, _, score in read], np.float32),
        )

    def _find(self, frame: Frame, detector: _Detector, trace: Trace) -> F32:
        """Regions of text in reading order, ``(n, 4, 2)``, corners as the text runs."""
        with trace.stage("pre"):
            prepared = prepare(frame, detector.input)
        feeds = {detector.input.tensor: prepared.tensor}
        outputs = trace.infer(DETECT, detector.session, feeds)
        with trace.stage("post"):
            probability = outputs[detector.output]
            height, width = probability.shape[-2:]
            if probability.size != height * width:
                raise BundleError(f"detector: expected output (1, 1, height, width), got {probability.shape}")
            picture_wh = frame.size_wh
            scale_xy = picture_wh[0] / width, picture_wh[1] / height
            found, _ = db.regions(probability.reshape(height, width), detector.head, scale_xy, picture_wh)
            ordered = found[reading_order(found)]
            return np.asarray([quads.along_text(quad) for quad in ordered], np.float32).reshape(-1, 4, 2)

    def _read(self, line: Frame, trace: Trace) -> tuple[str, float, bool]:
        """Text, without spaces around it, and score of a picture of one line; and whether it was turned round.

        One line a call: on two threads batches of lines of the same width were not faster (lines differ in
        width, so there are few), and padding a batch to its widest line changes what the graph sees.
        """
        recognizer, is_turned = self._recognizer, False
        if self._turner is not None:
            line, is_turned = self._turner.upright(line, trace)
        with trace.stage("pre"):
            prepared = prepare(line, recognizer.input)
        feeds = {recognizer.input.tensor: prepared.tensor}
        outputs = trace.infer(RECOGNIZE, recognizer.session, feeds)
        with trace.stage("post"):
            head = recognizer.head
            scores = ctc.only_line(outputs[recognizer.output], head.tensor)
            text, score = ctc.decode(scores, recognizer.classes, head.blank, head.activation)
            return text.strip(), score, is_turned


def _load_detector(variant: Variant, folder: Path, engine: Engine, options: EngineOptions) -> _Detector:
    model = variant.models[DETECT]
    if not isinstance(model.head, DbHead):
        raise BundleError(f"variant {variant.name}: detect expects a db_head, got {_tag(model)}")
    session = engine.load(folder / model.path, options)
    output = output_index(session, model, model.head.tensor, variant)
    return _Detector(session, image_input(model, "ocr", variant), model.head, output)


def _load_recognizer(variant: Variant, folder: Path, engine: Engine, options: EngineOptions) -> _Recognizer:
    model = variant.models[RECOGNIZE]
    if not isinstance(model.head, CtcHead):
        raise BundleError(f"variant {variant.name}: recognize expects a ctc_head, got {_tag(model)}")
    symbols = ctc.read_symbols((folder / model.head.alphabet).read_bytes().decode("utf-8"))
    classes = ctc.class_symbols(symbols, model.head)
    session = engine.load(folder / model.path, options)
    output = output_index(session, model, model.head.tensor, variant)
    return _Recognizer(session, image_input(model, "ocr", variant), model.head, output, classes)


def _tag(model: Model) -> str:
    return str(model.head.__struct_config__.tag)
