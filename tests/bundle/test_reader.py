from __future__ import annotations

import os
import tracemalloc

import pytest

import edgekit
from edgekit.bundle import structure
from edgekit.bundle.layout import MAX_FILE_BYTES
from edgekit.bundle.ranges import BytesRange, FileRange
from edgekit.bundle.reader import Bundle, open_bundle
from edgekit.bundle.writer import write_bundle
from edgekit.errors import BundleError
from tests.bundle.samples import (
    LABELS,
    WEIGHTS_PATH,
    external,
    manifest,
    members,
    onnx_external,
    write_sample,
)


def test_what_an_opened_bundle_tells(sample):
    bundle = open_bundle(str(sample))
    assert isinstance(bundle, Bundle)
    assert bundle.path == sample
    assert bundle.card.title == "Pets"
    assert [v.name for v in bundle.manifest.variants] == ["int8"]
    assert len(bundle.id) == 64
    assert bundle.size_bytes == sample.stat().st_size
    assert bundle.signature is None


def test_it_is_reachable_from_the_package(sample):
    assert edgekit.open_bundle(sample).id == open_bundle(sample).id


def test_read(sample):
    assert open_bundle(sample).read("labels.txt") == LABELS


def test_an_empty_member(tmp_path):
    content = members(probe=b"")
    golden = manifest().golden[0]
    empty = golden.__class__(
        golden.variant, golden.input, (_with_shape(golden.expected[0], (0, 4)),), "0", 0.0
    )
    write_bundle(tmp_path / "a.edge", manifest(golden=(empty,)), content)
    assert open_bundle(tmp_path / "a.edge").read("golden/0.bin") == b""


def _with_shape(expected, shape):
    from msgspec.structs import replace

    return replace(expected, shape=shape)


def test_no_such_member(sample):
    with pytest.raises(BundleError, match=r"no member '\.\./x' \(it has 'golden/0\.bin', "):
        open_bundle(sample).read("../x")


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "empty", "text", "nul"])
def test_what_is_no_bundle(tmp_path, kind):
    path = tmp_path / "a.edge"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("version https://git-lfs.github.com/spec/v1\n" * 10)
    elif kind == "nul":
        path = tmp_path / "a\0b"
    with pytest.raises(BundleError) as caught:
        open_bundle(path)
    assert caught.value.remedy


def test_a_file_above_the_cap_is_not_read(tmp_path):
    path = tmp_path / "a.edge"
    path.touch()
    os.truncate(path, MAX_FILE_BYTES + 1)  # sparse
    with pytest.raises(BundleError, match=f"{MAX_FILE_BYTES + 1} bytes, expected 124 to {MAX_FILE_BYTES}"):
        open_bundle(path)


def test_a_bundle_replaced_after_it_was_opened(sample, tmp_path):
    bundle, status = open_bundle(sample), sample.stat()
    data = write_sample(tmp_path / "b.edge", name="cats").read_bytes()
    assert len(data) == status.st_size
    (tmp_path / "b.edge").replace(sample)
    with pytest.raises(BundleError, match="was replaced or changed since it was opened .open it again"):
        bundle.read("labels.txt")


def test_a_bundle_rewritten_in_place_with_the_same_size_and_time(sample, tmp_path):
    bundle, status = open_bundle(sample), sample.stat()
    sample.write_bytes(write_sample(tmp_path / "b.edge", name="cats").read_bytes())
    os.utime(sample, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(BundleError, match="was replaced or changed since it was opened"):
        bundle.verify()


def test_a_bundle_removed_after_it_was_opened(sample):
    bundle = open_bundle(sample)
    sample.unlink()
    with pytest.raises(BundleError, match="No such file"):
        bundle.verify()


def test_verify_needs_constant_memory(tmp_path):
    weights = tmp_path / "w"
    size = 32 * 2**20
    weights.touch()
    os.truncate(weights, size)
    content = members(weights=weights, model=onnx_external(external(length=64)))
    write_bundle(tmp_path / "a.edge", manifest(content), content)
    bundle = open_bundle(tmp_path / "a.edge")
    tracemalloc.start()
    try:
        bundle.verify()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bundle.manifest.files[-1].path == WEIGHTS_PATH
    assert bundle.manifest.files[-1].size == size
    assert peak < 4 * 2**20


def test_what_is_compared_may_be_cut_off():
    with pytest.raises(BundleError, match="a: ends within the header, at byte 3"):
        structure._compare(BytesRange(b"abc"), 1, b"bcd", "header", "a")


def test_ranges(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    handle = os.open(path, os.O_RDONLY)
    try:
        part = FileRange(handle, 2, 5, "f")
        assert (part.size, part.read(0, 3), part.read(3, 99), part.read(9, 1)) == (5, b"234", b"56", b"")
        with pytest.raises(BundleError, match="f: became shorter while it was read"):
            FileRange(handle, 8, 5, "f").read(0, 5)
    finally:
        os.close(handle)
    with pytest.raises(BundleError, match="f: Bad file descriptor"):
        FileRange(handle, 0, 5, "f").read(0, 5)
    assert BytesRange(b"abc").read(1, 9) == b"bc"
