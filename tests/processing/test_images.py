import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from edgekit.errors import DataError
from edgekit.processing.images import decode_picture, to_frame
from edgekit.types import Frame


def scene(width: int = 40, height: int = 24) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns * 6, rows * 10, 255 - columns * 3], axis=2).astype(np.uint8)


def write(path: Path, pixels: np.ndarray, **options) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def rgb(frame: Frame) -> np.ndarray:
    return frame.pixels if frame.color == "rgb" else frame.pixels[..., ::-1]


def test_frames_and_arrays_pass_through():
    frame = Frame(scene())
    assert to_frame(frame) is frame
    pixels = scene()
    made = to_frame(pixels)
    assert made.pixels is pixels
    assert made.color == "rgb"


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_lossless_files(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", scene(), **({"lossless": True} if suffix == "webp" else {}))
    for given in (path, str(path)):
        frame = to_frame(given)
        assert np.array_equal(rgb(frame), scene())
        assert (frame.color, frame.name) == ("bgr", f"a.{suffix}")


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_orientation_of_files_and_pil_images(tmp_path, orientation, turns):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path / "a.jpg", scene(), exif=exif, quality=100, subsampling=0)
    upright = np.rot90(scene(), turns).astype(int)
    for frame in (to_frame(path), to_frame(Image.open(path))):
        assert frame.pixels.shape == upright.shape
        assert np.abs(rgb(frame).astype(int) - upright).max() <= 6


def test_grey_becomes_three_channels(tmp_path):
    grey = scene()[..., 0]
    frame = to_frame(write(tmp_path / "g.png", grey))
    assert np.array_equal(frame.pixels, np.repeat(grey[..., None], 3, axis=2))
    assert np.array_equal(to_frame(Image.fromarray(grey)).pixels, frame.pixels)


@pytest.mark.parametrize("shape", [(24, 40), (24, 40, 3)])
def test_sixteen_bits_become_the_high_byte(tmp_path, shape):
    values = np.random.default_rng(0).integers(0, 65536, shape, dtype=np.uint16)
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), values)
    expected = (values >> 8).astype(np.uint8)
    if values.ndim == 2:
        expected = np.repeat(expected[..., None], 3, axis=2)
        assert np.array_equal(to_frame(Image.open(path)).pixels, expected)
    assert np.array_equal(to_frame(path).pixels, expected)


def half_transparent(dtype=np.uint8) -> np.ndarray:
    pixels = np.zeros((4, 3, 4), dtype)
    pixels[..., 0] = 200 if dtype == np.uint8 else 200 << 8
    pixels[:, 1, 3] = 128 if dtype == np.uint8 else 128 << 8
    pixels[:, 2, 3] = 255 if dtype == np.uint8 else 255 << 8
    return pixels


ON_WHITE = [[255, 255, 255], [227, 127, 127], [200, 0, 0]]


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparent_parts_lie_on_white(tmp_path, suffix):
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = write(tmp_path / f"t.{suffix}", half_transparent(), **options)
    assert np.abs(rgb(to_frame(path))[0].astype(int) - ON_WHITE).max() <= 1
    assert np.abs(to_frame(Image.open(path)).pixels[0].astype(int) - ON_WHITE).max() <= 1


def test_sixteen_bits_with_transparency(tmp_path):
    path = tmp_path / "t16.png"
    cv2.imwrite(str(path), half_transparent(np.uint16)[..., [2, 1, 0, 3]])
    assert np.abs(rgb(to_frame(path))[0].astype(int) - ON_WHITE).max() <= 1


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.new("P", (4, 4), 0)
    image.putpalette([9, 9, 9, 50, 60, 70] + [0] * 762)
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "p.png", transparency=0)
    assert rgb(to_frame(tmp_path / "p.png"))[0, :2].tolist() == [[255, 255, 255], [50, 60, 70]]


def test_opaque_picture_in_a_format_that_could_be_transparent(tmp_path):
    path = write(tmp_path / "o.webp", scene(), quality=90)
    assert to_frame(path).pixels.shape == scene().shape


def test_alpha_of_a_turned_picture_is_left_out(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    path = write(tmp_path / "t.png", np.dstack([scene(), scene()[..., 0]]), exif=exif)
    assert np.array_equal(rgb(to_frame(path)), scene()[::-1, ::-1])


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_truncated_files_are_refused(tmp_path, suffix, share, capfd):
    whole = write(tmp_path / f"a.{suffix}", np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    data = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=f"cut.{suffix}: "):
        to_frame(cut)
    assert capfd.readouterr().err == ""


def test_jpeg_without_its_end_marker_is_truncated(tmp_path):
    data = write(tmp_path / "a.jpg", scene()).read_bytes()
    assert decode_picture(data + b"trailer", "a").shape == scene().shape
    with pytest.raises(DataError, match="end marker missing"):
        decode_picture(data[:-2], "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty file"), (b"no picture at all", "not a picture"), (b"\xff\xd8\xff\xd9", "not a picture")],
)
def test_what_is_no_picture_is_refused(tmp_path, content, message):
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        to_frame(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match="no such picture"):
        to_frame(tmp_path / "missing.png")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        to_frame(tmp_path)


@pytest.mark.parametrize("given", [None, 3, b"bytes", [[1, 2, 3]]])
def test_other_types_are_refused(given):
    with pytest.raises(DataError, match="expected a path, a uint8 array"):
        to_frame(given)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)]
)
def test_arrays_of_other_shape_or_dtype_are_refused(array):
    with pytest.raises(DataError, match="expected"):
        to_frame(array)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_one_grey_of_a_png_may_be_transparent(depth):
    """Two pixels, one of the value that ``tRNS`` names and one above it; OpenCV alone leaves that chunk out."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 1, depth, 0, 0, 0, 0)
    row = b"\x00\x00\x80\x00" if depth == 16 else (b"\x00\x80" if depth == 8 else bytes([1 << 8 - 2 * depth]))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", b"\0\0")
    data += chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    second = {1: 255, 2: 85, 4: 17}.get(depth, 128)
    assert decode_picture(data, "x")[0, :, 0].tolist() == [255, second]
    clear = 1 if depth < 8 else 128 if depth == 8 else 128 << 8
    other = data.replace(chunk(b"tRNS", b"\0\0"), chunk(b"tRNS", struct.pack(">H", clear)))
    assert decode_picture(other, "x")[0, :, 0].tolist() == [0, 255]
