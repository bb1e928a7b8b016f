import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.bundle.manifest import (
    CenterCrop,
    ImageInput,
    Letterbox,
    Normalize,
    ResizeHeight,
    ResizeMultiple,
    ResizeShorter,
    ResizeStretch,
)
from edgekit.errors import BundleError, DataError
from edgekit.processing.preprocess import (
    MAX_SIDE,
    fitted_size,
    height_widths,
    multiple_size,
    prepare,
    shorter_size,
)
from edgekit.types import Frame

LIMITS = ResizeMultiple(min_side=736, max_side=960, multiple=32)
LINE = ResizeHeight(height=48, min_width=32, max_width=3200, multiple=32, pad=127)


def picture(width: int, height: int, color: str = "rgb") -> Frame:
    rng = np.random.default_rng(width * 10_000 + height)
    return Frame(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), color=color)


def spec(*ops, color="rgb", dtype="uint8", layout="nhwc") -> ImageInput:
    return ImageInput("x", ops, color, dtype, layout)


@pytest.mark.parametrize(
    ("size_wh", "size", "expected"),
    [
        ((768, 432), 256, (455, 256)),  # 455.1
        ((640, 480), 256, (341, 256)),  # 341.3
        ((480, 640), 256, (256, 341)),
        ((3, 2), 1, (2, 1)),  # 1.5 rounds up
        ((5, 2), 1, (3, 1)),  # 2.5 rounds up, not to even
        ((256, 256), 256, (256, 256)),
        ((1, 1), 7, (7, 7)),
    ],
)
def test_shorter_size(size_wh, size, expected):
    assert shorter_size(size_wh, size) == expected


@pytest.mark.parametrize(
    ("size_wh", "op", "expected"),
    [
        ((640, 480), LIMITS, (960, 736)),  # enlarging would pass 960, which wins: 960 x 720, 22.5 rounds up
        ((800, 736), LIMITS, (800, 736)),
        ((736, 736), LIMITS, (736, 736)),
        ((735, 735), LIMITS, (736, 736)),
        ((1920, 1080), LIMITS, (960, 544)),  # 540 / 32 = 16.9
        ((4000, 10), LIMITS, (960, 32)),  # at least one multiple
        ((10, 4000), LIMITS, (32, 960)),
        ((1, 1), ResizeMultiple(1, 64, 32), (32, 32)),
        ((48, 80), ResizeMultiple(1, 640, 32), (64, 96)),  # 1.5 and 2.5 round up
    ],
)
def test_multiple_size(size_wh, op, expected):
    assert multiple_size(size_wh, op) == expected


@pytest.mark.parametrize(
    ("size_wh", "op", "expected"),
    [
        ((100, 48), LINE, (100, 128)),
        ((96, 48), LINE, (96, 96)),
        ((97, 96), LINE, (49, 64)),  # 48.5 rounds up
        ((1, 96), LINE, (1, 32)),
        ((9000, 48), LINE, (3200, 3200)),
        ((200, 48), ResizeHeight(48, 320, 3200, 32, 0), (200, 320)),
        ((200, 48), ResizeHeight(48, 30, 110, 32, 0), (110, 128)),
    ],
)
def test_height_widths(size_wh, op, expected):
    assert height_widths(size_wh, op) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_multiples_hold_for_any_size(width, height):
    for side in multiple_size((width, height), LIMITS):
        assert side % 32 == 0
        assert 32 <= side <= 960
    content, padded = height_widths((width, height), LINE)
    assert 1 <= content <= padded <= 3200
    assert padded % 32 == 0
    assert padded - content < 32


def test_resize_is_opencv_linear_exact_then_crop_then_colour():
    frame = picture(768, 432, "bgr")
    prepared = prepare(frame, spec(ResizeShorter(256), CenterCrop(224, 224)))
    resized = cv2.resize(frame.pixels, (455, 256), interpolation=cv2.INTER_LINEAR_EXACT)
    expected = resized[16:240, 115:339, ::-1]
    assert np.array_equal(prepared.tensor, expected[np.newaxis])
    assert prepared.tensor.flags.c_contiguous
    assert prepared.content_wh == (224, 224)
    assert prepared.scale_xy == (768 / 455, 432 / 256)
    assert prepared.offset_xy == pytest.approx((115 * 768 / 455, 27.0))


@pytest.mark.parametrize(
    ("size_wh", "shorter", "crop_wh"),
    [
        ((768, 432), 256, (224, 224)),
        ((432, 768), 256, (224, 224)),
        ((640, 480), 256, (224, 224)),
        ((1920, 1080), 300, (299, 299)),
        ((97, 61), 200, (150, 120)),  # larger than the picture
        ((61, 60), 60, (3, 59)),
        ((500, 40), 39, (1, 1)),
        ((333, 250), 250, (224, 224)),  # no resize at all
        ((300, 257), 256, (298, 256)),
    ],
)
def test_what_a_crop_cuts_off_need_not_be_made_and_the_rest_is_the_same_to_the_bit(size_wh, shorter, crop_wh):
    frame = picture(*size_wh)
    made = prepare(frame, spec(ResizeShorter(shorter), CenterCrop(*crop_wh)))
    whole_wh = shorter_size(size_wh, shorter)
    whole = cv2.resize(frame.pixels, whole_wh, interpolation=cv2.INTER_LINEAR_EXACT)
    left, top = (whole_wh[0] - crop_wh[0]) // 2, (whole_wh[1] - crop_wh[1]) // 2
    assert np.array_equal(made.tensor[0], whole[top : top + crop_wh[1], left : left + crop_wh[0]])
    ratio_x, ratio_y = size_wh[0] / whole_wh[0], size_wh[1] / whole_wh[1]
    assert made.scale_xy == pytest.approx((ratio_x, ratio_y))
    assert made.offset_xy == pytest.approx((left * ratio_x, top * ratio_y))
    assert made.content_wh == crop_wh


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[st.integers(4, 300)] * 4), st.tuples(*[st.floats(0.01, 1)] * 2))
def test_any_crop_of_any_resize_is_the_same_to_the_bit(sizes, shares):
    width, height, to_width, to_height = sizes
    frame = picture(width, height)
    crop = CenterCrop(
        *(max(round(side * share), 1) for side, share in zip((to_width, to_height), shares, strict=True))
    )
    ops = ResizeStretch(to_width, to_height), crop
    once = prepare(frame, spec(ops[0]))
    twice = prepare(Frame(once.tensor[0]), spec(ops[1]))
    assert np.array_equal(prepare(frame, spec(*ops)).tensor, twice.tensor)


def test_same_colour_and_size_changes_nothing_and_leaves_the_frame_alone():
    frame = picture(32, 24, "bgr")
    before = frame.pixels.copy()
    prepared = prepare(frame, spec(ResizeStretch(32, 24), color="bgr"))
    assert np.array_equal(prepared.tensor[0], before)
    assert prepared.scale_xy == (1.0, 1.0)
    prepared = prepare(frame, spec(ResizeStretch(16, 12), color="rgb"))
    assert np.array_equal(frame.pixels, before)
    assert prepared.tensor.shape == (1, 12, 16, 3)
    assert prepared.scale_xy == (2.0, 2.0)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_normalize_in_the_order_of_the_declared_colour(layout):
    frame = picture(20, 10, "bgr")
    mean, std = (123.0, 110.5, 7.0), (58.0, 57.0, 3.0)
    prepared = prepare(frame, spec(Normalize(mean, std), dtype="float32", layout=layout))
    rgb = frame.pixels[..., ::-1].astype(np.float32)
    expected = (rgb - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    if layout == "nchw":
        expected = expected.transpose(2, 0, 1)
    assert prepared.tensor.dtype == np.float32
    assert prepared.tensor.flags.c_contiguous
    assert np.array_equal(prepared.tensor, expected[np.newaxis])


def test_float32_without_normalize_keeps_the_values():
    frame = picture(6, 5)
    prepared = prepare(frame, spec(dtype="float32", layout="nchw"))
    assert np.array_equal(prepared.tensor[0], frame.pixels.transpose(2, 0, 1).astype(np.float32))


def test_line_is_padded_on_the_right():
    prepared = prepare(picture(100, 48), spec(LINE))
    assert prepared.tensor.shape == (1, 48, 128, 3)
    assert prepared.content_wh == (100, 48)
    assert (prepared.tensor[0, :, 100:] == 127).all()
    assert not (prepared.tensor[0, :, 99] == 127).all()


def test_scale_and_offset_lead_back_through_crop_and_second_resize():
    prepared = prepare(picture(400, 200), spec(ResizeShorter(100), CenterCrop(80, 60), ResizeStretch(40, 60)))
    assert prepared.scale_xy == pytest.approx((4.0, 2.0))
    assert prepared.offset_xy == pytest.approx((120.0, 40.0))  # (200 - 80) / 2 and (100 - 60) / 2, doubled


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(DataError, match="at least 224x224, got 300x200"):
        prepare(picture(300, 200), spec(CenterCrop(224, 224)))


def test_a_thread_of_a_picture_is_refused_before_memory_is_taken():
    with pytest.raises(DataError, match=f"20000x1: too elongated.*up to {MAX_SIDE}"):
        prepare(Frame(np.zeros((1, 20000, 3), np.uint8)), spec(ResizeShorter(256)))


@pytest.mark.parametrize(
    ("ops", "dtype", "message"),
    [
        ((Normalize((0, 0, 0), (1, 1, 1)), ResizeStretch(2, 2)), "float32", "last operation"),
        ((Normalize((0, 0, 0), (1, 1, 1)),), "uint8", "expected dtype float32"),
    ],
)
def test_normalize_out_of_place_is_refused(ops, dtype, message):
    with pytest.raises(BundleError, match=message):
        prepare(picture(4, 4), spec(*ops, dtype=dtype))


def test_an_operation_that_is_none_is_refused():
    with pytest.raises(BundleError, match="unknown operation str"):
        prepare(picture(4, 4), spec("rotate"))


def test_a_picture_that_does_not_fit_is_named():
    frame = Frame(np.zeros((1, 20_000, 3), np.uint8), name="strip.png")
    with pytest.raises(DataError, match=r"^strip\.png: picture of 20000x1: too elongated.*\(crop it\)"):
        prepare(frame, ImageInput(tensor="image", color="rgb", ops=(ResizeShorter(size=8),)))


@pytest.mark.parametrize(
    ("size_wh", "box_wh", "expected"),
    [
        ((640, 480), (320, 320), (320, 240)),
        ((480, 640), (320, 320), (240, 320)),
        ((320, 320), (320, 320), (320, 320)),
        ((100, 50), (320, 320), (320, 160)),  # enlarged
        ((3, 2), (5, 5), (5, 3)),  # 3.33
        ((4, 2), (5, 9), (5, 3)),  # 2.5 rounds up
        ((2, 4), (9, 5), (3, 5)),
        ((16384, 1), (320, 320), (320, 1)),  # never nothing
        ((1, 16384), (320, 320), (1, 320)),
        ((640, 480), (608, 800), (608, 456)),
    ],
)
def test_fitted_size(size_wh, box_wh, expected):
    assert fitted_size(size_wh, Letterbox(*box_wh, 114)) == expected


@pytest.mark.parametrize(("place", "top"), [("center", 39), ("start", 0)])
def test_letterbox_pads_what_is_left_and_leads_back(place, top):
    frame = picture(640, 481)
    prepared = prepare(frame, spec(Letterbox(320, 320, 114, place)))
    inner = cv2.resize(frame.pixels, (320, 241), interpolation=cv2.INTER_LINEAR_EXACT)
    expected = np.full((320, 320, 3), 114, np.uint8)
    expected[top : top + 241] = inner
    assert np.array_equal(prepared.tensor[0], expected)
    assert prepared.content_wh == (320, 241)
    assert prepared.scale_xy == (2.0, 481 / 241)
    assert prepared.offset_xy == pytest.approx((0.0, -top * 481 / 241))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from(["center", "start"]))
def test_corners_of_the_picture_come_back_through_any_letterbox(width, height, place):
    prepared = prepare(Frame(np.zeros((height, width, 3), np.uint8)), spec(Letterbox(64, 48, 9, place)))
    assert prepared.tensor.shape == (1, 48, 64, 3)
    content = np.argwhere((prepared.tensor[0] == 0).all(axis=2))
    (top, left), (bottom, right) = content.min(axis=0), content.max(axis=0) + 1
    assert (right - left, bottom - top) == prepared.content_wh
    for edges, scale, offset, side in zip(
        ((left, right), (top, bottom)), prepared.scale_xy, prepared.offset_xy, (width, height), strict=True
    ):
        assert [edge * scale + offset for edge in edges] == pytest.approx([0, side], abs=1e-9)
