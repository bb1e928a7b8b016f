import io
import zipfile

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit.errors import BundleError, ModelError
from edgekit_export.sources.tflite_file import (
    _labels,
    least_precise,
    read_tflite_bytes,
    read_tflite_file,
    tflite_framework,
)
from tests.tflite_files import channel_means


def with_archive(data, **members):
    """As metadata tools append files to a model."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in members.items():
            writer.writestr(f"{name}.txt", content)
    return data + archive.getvalue()


@pytest.mark.parametrize(("precision", "parameters"), [("fp32", 9), ("int8", 9)])
def test_what_a_file_says(precision, parameters):
    file = read_tflite_bytes(channel_means(precision), "some/means.tflite")
    assert (file.name, file.precision, file.parameters) == ("means.tflite", precision, parameters)
    assert (file.ends, file.labels) == (("FULLY_CONNECTED",), None)
    assert [spec.form for spec in (*file.tried.inputs, *file.tried.outputs)] == [
        "float32 1×8×8×3",
        "float32 1×3",
    ]
    assert len(file.graph().operators) == 2


@pytest.mark.parametrize(
    ("members", "labels"),
    [
        ({"labels": "red\ngreen\r\nblue\n"}, ("red", "green", "blue")),
        ({"notes": "red"}, None),
        ({"labels": "a" * (1 << 21)}, None),
        ({"labels": b"\xff\xfe\x00"}, None),
    ],
)
def test_labels_that_lie_behind_the_model(members, labels):
    assert read_tflite_bytes(with_archive(channel_means(), **members), "m.tflite").labels == labels


def test_the_framework_is_the_file_itself_given_planar_pictures():
    picture = np.random.default_rng(0).random((1, 3, 8, 8), np.float32)
    run = tflite_framework(read_tflite_bytes(channel_means(), "m.tflite"))
    np.testing.assert_allclose(run({"x": picture})[0], 0.1 * picture.mean((2, 3)), rtol=1e-5)


@pytest.mark.parametrize(
    ("data", "error", "problem"),
    [
        (b"", BundleError, "damaged|bytes|expected"),
        (b"\x18\0\0\0TFL3", BundleError, "bytes"),
        (channel_means()[:300], BundleError, "byte"),
    ],
)
def test_damaged_files(data, error, problem):
    with pytest.raises(error, match=problem):
        read_tflite_bytes(data, "m.tflite")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="no such file"):
        read_tflite_file(tmp_path / "x.tflite")
    with pytest.raises(ModelError, match="expected a file"):
        read_tflite_file(tmp_path)


def test_a_file_that_ends_the_interpreter_ends_a_child_only(test_data):
    path = test_data / "breakers" / "keyword_scrambled_8bit.tflite"
    if not path.is_file():
        pytest.skip(f"test data absent: {path}")
    with pytest.raises(ModelError, match="ends the process with SIG"):
        read_tflite_file(path)


def test_the_least_precise_of_several():
    assert least_precise(["fp32", "fp16"]) == "fp16"
    assert least_precise(["int8", "fp32"]) == "int8"


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_archive_has_no_labels(method):
    file, rng = io.BytesIO(b"TFL3"), np.random.default_rng(method)
    file.seek(0, 2)
    with zipfile.ZipFile(file, "a", method) as archive:
        archive.writestr("labels.txt", "red\ngreen\n" * 30)
    whole = np.frombuffer(file.getvalue(), np.uint8)
    found = _labels(whole.tobytes())
    assert found == (("red", "green") * 30 if method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else None)
    for _ in range(2000):
        bent = whole.copy()
        bent[rng.integers(4, len(bent), 2)] = rng.choice([0, 1, 0x80, 0xFF], 2)
        assert _labels(bent.tobytes()) is None or method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
