"""Headers that lie: each number of the format out of its bounds."""

import struct

import pytest

from edgekit.errors import ModelError
from edgekit_export.sources.gguf.header import read_header


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def tensor(name, sizes, kind=0, offset=0):
    dims = struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
    return text(name) + dims + struct.pack("<IQ", kind, offset)


def file(*parts, tensors=0, pairs=0, version=3, magic=b"GGUF", data=b""):
    head = magic + struct.pack("<IQQ", version, tensors, pairs) + b"".join(parts)
    return head + bytes(-len(head) % 32) + data


def read(tmp_path, data):
    path = tmp_path / "a.gguf"
    path.write_bytes(data)
    return read_header(path)


def test_values_of_all_types(tmp_path):
    pairs = [
        pair("a", 0, b"\xff"), pair("b", 1, b"\xff"), pair("c", 2, b"\xff\xff"), pair("d", 3, b"\xfe\xff"),
        pair("e", 4, struct.pack("<I", 7)), pair("f", 5, struct.pack("<i", -7)),
        pair("g", 6, struct.pack("<f", 1e-5)), pair("h", 7, b"\x01"), pair("i", 8, text("é")),
        pair("j", 10, struct.pack("<Q", 2**63)), pair("k", 11, struct.pack("<q", -5)),
        pair("l", 12, struct.pack("<d", 0.1)), pair("m", 9, struct.pack("<IQ2i", 5, 2, -1, 3)),
        pair("n", 9, struct.pack("<IQ", 8, 2) + text("x") + text("")), pair("o", 9, struct.pack("<IQ", 4, 0)),
        pair("p", 9, struct.pack("<IQIQB", 9, 1, 0, 1, 9)),
    ]  # fmt: skip
    found = read(tmp_path, file(*pairs, pairs=len(pairs))).metadata
    assert {k: v for k, v in found.items() if k < "m"} == {
        "a": 255, "b": -1, "c": 65535, "d": -2, "e": 7, "f": -7, "g": 1e-5, "h": True, "i": "é", "j": 2**63,
        "k": -5, "l": 0.1,
    }  # fmt: skip
    assert found["m"] == [-1, 3]
    assert found["n"] == ["x", ""]
    assert found["o"] == []
    assert found["p"] == [[9]]


def test_places_of_tensors(tmp_path):
    parts = tensor("a", (64, 2), kind=8), tensor("b", (3,), offset=160)
    header = read(tmp_path, file(*parts, tensors=2, data=bytes(160 + 12)))
    start = len(file(*parts, tensors=2))
    assert [(e.shape, e.kind.name, e.start - start, e.bytes) for e in header.tensors.values()] == [
        ((2, 64), "Q8_0", 0, 136),
        ((3,), "F32", 160, 12),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "needs 4 bytes of a file, and it has 0"),
        (file(magic=b"GGML"), "begins with GGUF, got b'GGML'"),
        (file(version=1), "got version 1"),
        (file(version=0x03000000), "got a big-endian file"),
        (file(tensors=2**40), "expected at most 65536 tensors and 65536 keys, got 1099511627776 and 0"),
        (file(pairs=65537), "got 0 and 65537"),
        (file(pairs=2), "is no UTF-8|needs|there twice"),
        (file(pair("a", 0, b"1"), pair("a", 0, b"1"), pairs=2), "the key 'a' is there twice"),
        (file(pair("a", 13, b"1"), pairs=1), "its type has the number 13"),
        (file(pair("a", 7, b"\x02"), pairs=1), "expected true or false as 1 or 0, got 2"),
        (file(pair("a", 8, text(b"\xff")), pairs=1), "a: is no UTF-8 at byte 0"),
        (file(pair("a", 8, struct.pack("<Q", 2**60)), pairs=1), "a text of 1152921504606846976 bytes"),
        (file(pair("a", 8, struct.pack("<Q", 2**20)), pairs=1), "a needs 1048621 bytes of a file, and it has"),
        (file(pair("a", 9, struct.pack("<IQ", 12, 2**61)), pairs=1), "at most 16777216 elements in all, got 23058"),
        (file(pair("a", 9, struct.pack("<IQ", 8, 2**61)), pairs=1), "at most 16777216 elements in all, got 23058"),
        (file(pair("a", 9, struct.pack("<IQIQIQ", 9, 1, 9, 1, 0, 0)), pairs=1), "array of type number 9"),
        (file(pair("a", 9, struct.pack("<IQ", 0, 2**20)), pairs=1), "key 'a' needs 1048625 bytes"),
        (file(pair("split.count", 9, struct.pack("<IQ2B", 0, 2, 1, 1)), pairs=1), r"one of \[1, 1\] parts"),
        (file(pair("split.count", 2, b"\x03\x00"), pairs=1), "one of 3 parts .*llama-gguf-split --merge"),
        (file(pair("general.alignment", 4, struct.pack("<I", 24)), pairs=1), "a power of two to 1048576, got 24"),
        (file(pair("general.alignment", 8, text("32")), pairs=1), "a power of two to 1048576, got '32'"),
        (file(tensor("a", ()), tensors=1), "expected 1 to 4 dimensions, got 0"),
        (file(tensor("a", (1,) * 5), tensors=1), "expected 1 to 4 dimensions, got 5"),
        (file(tensor("a", (4, 0)), tensors=1), r"has no elements: its shape is \(0, 4\)"),
        (file(tensor("a", (4,), kind=5), tensors=1), "its type has the number 5"),
        (file(tensor("a", (48,), kind=2), tensors=1), "whole Q4_0 blocks of 32, got 48"),
        (file(tensor("a", (2**62, 2**62)), tensors=1), "tensor 'a' needs 85070591730234615865843651857942052"),
        (file(tensor("a", (4,), offset=2**63), tensors=1), "tensor 'a' needs 9223372036854775"),
        (file(tensor("a", (4,), offset=8), tensors=1, data=bytes(64)), "offset 8 is not a multiple of 32"),
        (file(tensor("a", (8,)), tensors=1, data=bytes(31)), "tensor 'a' needs 96 bytes of a file, and it has 95"),
        (file(tensor("a", (9,)), tensor("b", (8,), offset=32), tensors=2, data=bytes(64)), "'a' and 'b' overlap"),
        (file(tensor("a", (8,)), tensor("a", (8,), offset=32), tensors=2, data=bytes(64)), "'a' is there twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(data, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        read(tmp_path, data)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        read_header(tmp_path)
