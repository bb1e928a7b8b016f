from __future__ import annotations

import shutil
import subprocess
import zipfile

import pytest

from edgekit.bundle.layout import (
    ALIGNMENT,
    CENTRAL_BYTES,
    END_BYTES,
    LOCAL_BYTES,
    MIN_FILE_BYTES,
    central_bytes,
    claimed_crc32,
    claimed_size,
    directory,
    local_header,
    place,
)
from edgekit.bundle.reader import open_bundle


def test_sizes_are_those_of_the_zip_specification():
    assert (LOCAL_BYTES, CENTRAL_BYTES, END_BYTES) == (30, 46, 22)
    assert MIN_FILE_BYTES == 30 + 13 + 46 + 13 + 22


def test_members_lie_one_after_the_other():
    a, b = place([("a", 5, False), ("b/c", 7, False)])
    assert (a.header_offset, a.data_offset, a.end) == (0, 31, 36)
    assert (b.header_offset, b.data_offset, b.end) == (36, 69, 76)


@pytest.mark.parametrize(
    ("start", "data_offset"),
    [
        (0, ALIGNMENT),
        (ALIGNMENT - 37, ALIGNMENT),  # the smallest padding, 6 bytes, just fits
        (ALIGNMENT - 36, 2 * ALIGNMENT),  # one byte too few: a page more
        (ALIGNMENT - 31, 2 * ALIGNMENT),  # aligned without padding: there still is a padding field
    ],
)
def test_aligned_members_start_at_a_page(start, data_offset):
    (slot,) = place([("m", 3, True)], start)
    assert slot.data_offset == data_offset
    header = local_header(slot, 1)
    assert len(header) == data_offset - start
    extra = header[31:]
    assert extra[:2] == b"\x1e\xa1"
    assert int.from_bytes(extra[2:4], "little") == len(extra) - 4
    assert int.from_bytes(extra[4:6], "little") == ALIGNMENT
    assert set(extra[6:]) <= {0}


def test_header_states_crc_and_size():
    (slot,) = place([("m", 3, False)])
    header = local_header(slot, 0xDEADBEEF)
    assert (claimed_crc32(header), claimed_size(header)) == (0xDEADBEEF, 3)


def test_directory_has_the_size_that_is_announced():
    slots = place([("a", 5, False), ("b/c", 7, True)])
    assert len(directory(slots, [1, 2])) == central_bytes(["a", "b/c"])


def test_python_reads_a_bundle_as_an_ordinary_zip(sample):
    manifest = open_bundle(sample).manifest
    with zipfile.ZipFile(sample) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert [info.filename for info in infos] == ["manifest.json", *(f.path for f in manifest.files)]
        assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
        assert {(info.external_attr, info.flag_bits, info.create_system) for info in infos} == {(0, 0, 0)}
        assert {info.comment for info in infos} | {archive.comment} == {b""}


def test_model_files_start_at_a_page_of_the_file(sample):
    data = sample.read_bytes()
    manifest = open_bundle(sample).manifest
    aligned = [file for file in manifest.files if file.aligned]
    assert [file.path for file in aligned] == ["models/int8/model.onnx", "models/int8/weights.bin"]
    with zipfile.ZipFile(sample) as archive:
        for file in aligned:
            content = archive.read(file.path)
            assert any(
                data[offset : offset + file.size] == content for offset in range(0, len(data), ALIGNMENT)
            )


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_finds_no_errors(sample):
    done = subprocess.run(["unzip", "-t", sample], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors detected" in done.stdout
    assert "warning" not in (done.stdout + done.stderr).lower()
