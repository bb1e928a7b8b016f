"""The OCR task over fake graphs: a detector that sees what is not white, a recogniser that reads colours."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import (
    ClassHead,
    CtcHead,
    DbHead,
    ImageInput,
    Model,
    ResizeHeight,
    ResizeMultiple,
    Variant,
)
from edgekit.engines.protocol import EngineOptions, TensorSpec
from edgekit.errors import BundleError, DataError
from edgekit.tasks.ocr import Ocr
from edgekit.tasks.trace import Trace
from edgekit.types import Frame

SYMBOLS = ("r", "g", "b")
RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def see(image: np.ndarray) -> np.ndarray:
    """``(1, h, w, 3)`` → ``(1, 1, h, w)``: 0.95 where a pixel is not white."""
    return np.where(image.min(axis=-1) < 128, 0.95, 0.02).astype(np.float32)[:, np.newaxis]


def read(image: np.ndarray) -> np.ndarray:
    """``(1, h, w, 3)`` RGB → ``(1, w / 8, 5)``: the strongest colour of every eighth column; blank for none."""
    columns = image[0, image.shape[1] // 2, 4::8].astype(int)
    classes = np.where(columns.max(axis=1) - columns.min(axis=1) < 60, 0, 1 + columns.argmax(axis=1))
    dark = columns.max(axis=1) < 60
    probabilities = np.full((1, len(columns), 5), 0.02, np.float32)
    probabilities[0, np.arange(len(columns)), np.where(dark, 4, classes)] = 0.92
    return probabilities


class FakeSession:
    def __init__(self, compute, inputs, outputs):
        self._compute = compute
        self.inputs = (TensorSpec(inputs, "uint8", (1, None, None, 3)),)
        self.outputs = tuple(TensorSpec(name, "float32", (None,)) for name in outputs)

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        (image,) = feeds.values()
        assert image.dtype == np.uint8
        return [self._compute(image) if "scores" in o.name else np.zeros(1) for o in self.outputs]


class FakeEngine:
    name, version, formats = "fake", "1.2", frozenset({"onnx"})

    def __init__(self, see=see, read=read, orient=None):
        self._graphs = {
            "ori.onnx": FakeSession(orient, "x", ["scores"]),
            "det.onnx": FakeSession(see, "x", ["scores"]),
            "rec.onnx": FakeSession(read, "x", ["other", "scores"]),
        }
        self.loaded: list[tuple[str, EngineOptions]] = []

    def load(self, path: Path, options: EngineOptions) -> FakeSession:
        self.loaded.append((path.name, options))
        return self._graphs[path.name]


DETECT = Model(
    "det.onnx",
    "onnx",
    ImageInput("x", (ResizeMultiple(32, 640, 32),), "rgb"),
    DbHead("scores", 0.3, 0.5, 0.4, 3, 100),
)
RECOGNIZE = Model(
    "rec.onnx",
    "onnx",
    ImageInput("x", (ResizeHeight(48, 32, 640, 32, 127),), "rgb"),
    CtcHead("scores", "alphabet.txt", 0, space_last=True, min_score=0.5),
)
BOTH = Variant("int8", "r", "int8", {"detect": DETECT, "recognize": RECOGNIZE}, 0)
ALONE = Variant("rec", "r", "fp32", {"recognize": RECOGNIZE}, 0)


@pytest.fixture
def make(tmp_path):
    (tmp_path / "alphabet.txt").write_text("\n".join(SYMBOLS) + "\n")

    def made(variant=BOTH, engine=None):
        return Ocr("signs", variant, tmp_path, engine or FakeEngine(), EngineOptions(threads=1))

    return made


def page(*bars: tuple[int, int, int, int, tuple], size_wh=(320, 192)) -> np.ndarray:
    """White, with bars (left, top, width, height, colours from left to right)."""
    pixels = np.full((size_wh[1], size_wh[0], 3), 255, np.uint8)
    for left, top, width, height, colors in bars:
        share = width / len(colors)
        for i, color in enumerate(colors):
            pixels[top : top + height, round(left + i * share) : round(left + (i + 1) * share)] = color
    return pixels


def test_lines_are_found_read_and_ordered(make):
    task = make()
    result = task(
        page(
            (200, 40, 90, 24, (GREEN, RED)),
            (20, 36, 120, 24, (RED, GREEN, BLUE)),
            (40, 120, 160, 32, (BLUE, RED, BLUE, GREEN)),
        )
    )
    assert result.texts == ("rgb", "gr", "brbg")
    assert result.text == "rgb\ngr\nbrbg"
    assert result.scores == pytest.approx([0.92] * 3)
    for quad, box in zip(
        result.quads, [(20, 36, 140, 60), (200, 40, 290, 64), (40, 120, 200, 152)], strict=True
    ):
        assert np.abs(quad[0] - box[:2]).max() <= 8
        assert np.abs(quad[2] - box[2:]).max() <= 8
    assert (task.name, task.bundle_name, task.variant, task.engine, task.threads) == (
        "ocr",
        "signs",
        "int8",
        "fake 1.2",
        1,
    )


def test_trace_holds_every_call_and_stage(make):
    ticks = iter(range(0, 10_000, 10))
    trace = Trace(now_ns=lambda: next(ticks))
    make()(page((20, 36, 120, 24, (RED,)), (20, 100, 120, 24, (BLUE,))), trace)
    assert [call.role for call in trace.calls] == ["detect", "recognize", "recognize"]
    assert trace.calls[0].feeds["x"].shape == (1, 192, 320, 3)
    assert all(call.feeds["x"].shape[1] == 48 for call in trace.calls[1:])
    assert trace.ns == {"pre": 60, "infer": 30, "post": 30}  # 6, 3 and 3 blocks of one tick


def test_bgr_frames_read_the_same(make):
    pixels = page((20, 36, 120, 24, (RED, GREEN, BLUE)))
    frame = Frame(np.ascontiguousarray(pixels[..., ::-1]), color="bgr")
    assert make()(frame).texts == make()(pixels).texts == ("rgb",)


def test_tall_text_is_read_downwards_and_its_quad_says_so(make):
    pixels = np.ascontiguousarray(np.rot90(page((40, 60, 200, 30, (RED, GREEN, BLUE))), -1))
    result = make()(pixels)
    assert result.texts == ("rgb",)
    top_left, top_right = result.quads[0, :2]
    assert abs(top_left[0] - top_right[0]) <= 1
    assert top_right[1] - top_left[1] > 180  # the text runs from top to bottom


def test_scale_of_a_reduced_picture(make):
    result = make()(page((160, 160, 960, 160, (RED, BLUE)), size_wh=(1280, 640)))
    assert result.texts == ("rb",)
    assert np.abs(result.quads[0, 0] - (160, 160)).max() <= 40
    assert np.abs(result.quads[0, 2] - (1120, 320)).max() <= 40


def test_empty_and_uncertain_lines_are_left_out(make):
    grey = (100, 100, 100)
    bars = page((20, 30, 120, 24, (grey,)), (20, 100, 120, 24, (RED,)))
    assert make()(bars).texts == ("r",)
    strict = replace(RECOGNIZE, head=replace(RECOGNIZE.head, min_score=0.95))
    result = make(replace(BOTH, models={"detect": DETECT, "recognize": strict}))(bars)
    assert len(result) == 0
    assert result.quads.shape == (0, 4, 2)
    assert result.as_json() == {"lines": []}


def test_nothing_to_read(make):
    trace = Trace()
    result = make()(page(), trace)
    assert result.texts == ()
    assert [call.role for call in trace.calls] == ["detect"]


def test_recogniser_alone_reads_the_whole_picture(make):
    task = make(ALONE)
    result = task(page((0, 0, 300, 40, (RED, BLUE)), size_wh=(300, 40)))
    assert result.texts == ("rb",)
    assert result.quads.tolist() == [[[0, 0], [300, 0], [300, 40], [0, 40]]]


@pytest.mark.parametrize("color", [(100, 100, 100), (0, 0, 0)])
def test_recogniser_alone_always_gives_its_one_line(make, color):
    result = make(ALONE)(page((0, 0, 300, 40, (color,)), size_wh=(300, 40)))
    assert result.texts == ("",)  # nothing, or a space, which says as much
    assert len(result.scores) == 1


def test_spaces_around_a_line_are_left_out(make):
    black = (0, 0, 0)
    pixels = page((0, 0, 480, 48, (black, RED, black, BLUE, black)), size_wh=(480, 48))
    assert make(ALONE)(pixels).texts == ("r b",)


def test_a_recogniser_that_gives_logits(make):
    logits = replace(RECOGNIZE, head=replace(RECOGNIZE.head, activation="softmax"))
    engine = FakeEngine(read=lambda image: 10 * read(image))
    result = make(replace(ALONE, models={"recognize": logits}), engine)(
        page((0, 0, 300, 40, (RED, BLUE)), size_wh=(300, 40))
    )
    assert result.texts == ("rb",)
    assert result.scores[0] == pytest.approx(np.exp(9.2) / (np.exp(9.2) + 4 * np.exp(0.2)), rel=1e-5)


def test_both_graphs_are_loaded_with_the_same_options(make):
    engine = FakeEngine()
    make(BOTH, engine)
    assert sorted(engine.loaded) == sorted(
        [("det.onnx", EngineOptions(threads=1)), ("rec.onnx", EngineOptions(threads=1))],
        key=lambda pair: pair[0],
    )


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"detect": DETECT}, "recognize alone, either with orient or without, got detect"),
        ({"model": DETECT, "recognize": RECOGNIZE}, "got model, recognize"),
        ({}, "got none"),
        ({"detect": replace(DETECT, head=RECOGNIZE.head), "recognize": RECOGNIZE}, "db_head, got ctc_head"),
        ({"recognize": replace(RECOGNIZE, head=DETECT.head)}, "ctc_head, got db_head"),
        (
            {"recognize": replace(RECOGNIZE, head=ClassHead("scores", "l.txt", "none"))},
            "ctc_head, got class_head",
        ),
        (
            {"recognize": replace(RECOGNIZE, head=replace(RECOGNIZE.head, tensor="y"))},
            "has the outputs 'other', 'scores', expected y",
        ),
    ],
)
def test_other_graphs_are_refused(make, models, message):
    with pytest.raises(BundleError, match=message):
        make(replace(BOTH, models=models))


def test_alphabet_of_another_size_is_refused(make, tmp_path):
    task = make(ALONE)
    (tmp_path / "alphabet.txt").write_text("a\nb\n")
    with pytest.raises(BundleError, match=r"expected output \(steps, 4\)"):
        make(ALONE)(page(size_wh=(64, 48)))
    assert task(page(size_wh=(64, 48))).texts == ("",)


@pytest.mark.parametrize("shape", [(1, 4, 5, 1), (2, 4, 5), (5, 5)])
def test_recogniser_output_of_another_shape_is_refused(make, shape):
    engine = FakeEngine(read=lambda image: np.zeros(shape, np.float32))
    with pytest.raises(BundleError, match="scores: expected output"):
        make(ALONE, engine)(page(size_wh=(64, 48)))


def test_detector_output_of_another_shape_is_refused(make):
    engine = FakeEngine(see=lambda image: np.zeros((1, 2, 8, 8), np.float32))
    with pytest.raises(BundleError, match=r"detector: expected output .*got \(1, 2, 8, 8\)"):
        make(BOTH, engine)(page())


def test_what_is_no_picture_is_refused(make):
    with pytest.raises(DataError, match="no such picture"):
        make()("missing.png")


ORIENT = Model(
    "ori.onnx",
    "onnx",
    ImageInput("x", (ResizeHeight(48, 192, 192, 192, 127),), "rgb"),
    ClassHead("scores", "turns.txt", "none"),
)


def blue_first(sure: float):
    """A graph that takes a line for turned, by ``sure``, if it begins with blue."""

    def orient(image: np.ndarray) -> np.ndarray:
        assert image.shape == (1, 48, 192, 3)
        turned = sure if image[0, 24, 24].argmax() == 2 else 0.01
        return np.array([[1 - turned, turned]], np.float32)

    return orient


@pytest.mark.parametrize(
    ("sure", "texts"), [(0.95, ("rgb", "gb")), (0.9, ("rgb", "gb")), (0.89, ("bgr", "gb"))]
)
def test_lines_that_stand_on_their_head_are_turned_round(make, tmp_path, sure, texts):
    (tmp_path / "turns.txt").write_text("0\n180\n")
    variant = replace(BOTH, models={**BOTH.models, "orient": ORIENT})
    task = make(variant, FakeEngine(orient=blue_first(sure)))
    trace = Trace()
    lines = (20, 36, 120, 24, (BLUE, GREEN, RED)), (20, 100, 120, 24, (GREEN, BLUE))
    result = task(page(*lines), trace)
    assert result.texts == texts
    assert [call.role for call in trace.calls] == ["detect", *["orient", "recognize"] * 2]
    first = result.quads[0]
    assert (first[0, 0] > first[1, 0]) == (sure >= 0.9)  # the text runs from right to left in the picture
    assert list(task.sessions) == ["detect", "orient", "recognize"]


def test_one_line_alone_is_turned_too(make, tmp_path):
    (tmp_path / "turns.txt").write_text("0\n180\n")
    task = make(
        replace(ALONE, models={**ALONE.models, "orient": ORIENT}), FakeEngine(orient=blue_first(0.99))
    )
    result = task(page((0, 0, 120, 24, (BLUE, RED)), size_wh=(120, 24)))
    assert result.texts == ("rb",)
    assert result.quads.tolist() == [[[120, 24], [0, 24], [0, 0], [120, 0]]]


@pytest.mark.parametrize(
    ("model", "labels", "message"),
    [
        (ORIENT, "0\n90\n", "orient expects the labels 0 and 180, got 0, 90"),
        (replace(ORIENT, head=RECOGNIZE.head), "0\n180\n", "orient expects a class_head, got ctc_head"),
    ],
)
def test_other_orientation_graphs_are_refused(make, tmp_path, model, labels, message):
    (tmp_path / "turns.txt").write_text(labels)
    with pytest.raises(BundleError, match=message):
        make(replace(BOTH, models={**BOTH.models, "orient": model}))


def test_three_orientations_are_refused(make, tmp_path):
    (tmp_path / "turns.txt").write_text("0\n180\n")
    variant = replace(ALONE, models={**ALONE.models, "orient": ORIENT})
    task = make(variant, FakeEngine(orient=lambda image: np.zeros((1, 3), np.float32)))
    with pytest.raises(BundleError, match="expected two scores, got 3"):
        task(page((0, 0, 120, 24, (BLUE, RED)), size_wh=(120, 24)))
