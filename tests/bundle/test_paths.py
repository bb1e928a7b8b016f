from __future__ import annotations

import pytest

from edgekit.bundle.paths import first_fault, path_fault


@pytest.mark.parametrize(
    "path", ["a", "labels.txt", "models/int8/model.onnx", "0", "a_b-c.d/e", "a/b/c/d/e/f/g/h", "a" * 200]
)
def test_ordinary_paths_are_fine(path):
    assert path_fault(path) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "segment ''"),
        ("/etc/passwd", "segment ''"),
        ("../x", "segment '..'"),
        ("a/../b", "segment '..'"),
        ("a/./b", "segment '.'"),
        ("a//b", "segment ''"),
        ("a/", "segment ''"),
        (".hidden", "segment '.hidden'"),
        ("a/.hidden", "segment '.hidden'"),
        ("-rf", "segment '-rf'"),
        ("a.", "segment 'a.'"),
        ("a\\b", "segment"),
        ("C:x", "segment 'C:x'"),
        ("a b", "segment 'a b'"),
        ("a\n", "segment 'a\\n'"),
        ("a\0", "segment"),
        ("é", "segment"),
        ("con", "device name"),
        ("a/NUL.txt", "device name"),
        ("Com1.onnx", "device name"),
        ("manifest.json", "container itself"),
        ("Signature.JSON", "container itself"),
        ("a" * 201, "201 characters"),
        ("a/" * 8 + "a", "9 levels"),
    ],
)
def test_odd_paths_are_refused(path, reason):
    assert reason in path_fault(path)


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (["a", "b", "a"], "listed twice"),
        (["a.txt", "A.txt"], "only in case"),
        (["a", "a/b"], "both a file and a folder"),
        (["a/b", "a"], "both a file and a folder"),
        (["A/b", "a"], "both a file and a folder"),
        (["A/b", "a/c"], "only in case"),
        (["x/A/b", "x/a/c"], "only in case"),
        (["ok", "../no"], "segment '..'"),
    ],
)
def test_paths_that_cannot_lie_beside_each_other(paths, reason):
    assert reason in first_fault(paths)


def test_no_fault_in_an_ordinary_set():
    assert first_fault([]) is None
    assert first_fault(["a/b", "a/c", "a/d/e", "f"]) is None
