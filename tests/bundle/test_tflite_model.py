from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.bundle import tflite_model
from edgekit.bundle.ranges import BytesRange
from edgekit.bundle.tflite_model import check_tflite
from edgekit.errors import BundleError

DATA = Path(os.environ.get("EDGEKIT_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def check(data):
    check_tflite(BytesRange(data), "m.tflite")


def tflite(version=3, buffer_data=b"\1\2\3\4", buffer_offset=0, buffer_size=0, subgraphs=1):
    """The smallest model that has the outer tables: written backwards-free, by fixed positions."""
    out = bytearray(b"\0\0\0\0TFL3")

    def put(data):
        while len(out) % 8:
            out.append(0)
        out.extend(data)
        return len(out) - len(data)

    model_vtable = put(
        struct.pack("<7H", 14, 24, 4, 8, 12, 16, 20)
    )  # version codes subgraphs description buffers
    model = put(bytes(24))
    buffer_vtable = put(struct.pack("<5H", 10, 24, 4, 8, 16))
    buffer = put(bytes(24))
    empty_vtable = put(struct.pack("<2H", 4, 4))
    empty = put(struct.pack("<i", 0))
    data = put(struct.pack("<I", len(buffer_data)) + buffer_data)

    def vector(targets):
        at = put(struct.pack("<I", len(targets)) + bytes(4 * len(targets)))
        for i, target in enumerate(targets):
            # tables may lie before a vector only with unsigned wrap-around: copies lie after it
            copy = put(bytes(out[target : target + (24 if target == buffer else 4)]))
            struct.pack_into("<I", out, at + 4 + 4 * i, copy - (at + 4 + 4 * i))
            vtable = buffer_vtable if target == buffer else empty_vtable
            struct.pack_into("<i", out, copy, copy - vtable)
            if target == buffer:
                where = put(bytes(out[data : data + 4 + len(buffer_data)]))
                struct.pack_into("<I", out, copy + 4, where - (copy + 4))
                struct.pack_into("<Q", out, copy + 8, buffer_offset)
                struct.pack_into("<Q", out, copy + 16, buffer_size)
        return at

    codes, graphs, buffers = vector([empty]), vector([empty] * subgraphs), vector([buffer])
    struct.pack_into("<I", out, 0, model)
    struct.pack_into("<i", out, model, model - model_vtable)
    struct.pack_into("<I", out, model + 4, version)
    for index, at in ((8, codes), (12, graphs), (20, buffers)):
        struct.pack_into("<I", out, model + index, at - (model + index))
    return bytes(out)


def test_a_small_model():
    check(tflite())
    check(tflite(buffer_offset=8, buffer_size=16))
    check(tflite(buffer_offset=1, buffer_size=10**9))  # 1 says: no data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "bytes 4 to 8 are b''"),
        (b"\x18\x00\x00\x00TFL3", "byte 24: 4 bytes, the file has 8"),  # aborts interpreters
        (b"\x08\x00\x00\x00TFL3" + bytes(4), "a vtable of 0 bytes for a table of 0"),
        (b"PK\x03\x04" + bytes(60), "expected b'TFL3'"),
        (tflite()[:100], "the file has 100"),
        (tflite(version=2), "schema version 2, expected 3"),
        (tflite(subgraphs=0), "has no subgraphs"),
        (tflite(buffer_offset=10**6, buffer_size=1), "byte 1000000"),
        (tflite(buffer_offset=8, buffer_size=2**63), "the file has"),
        (b"\xff\xff\xff\xffTFL3" + bytes(60), "byte 4294967295"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(BundleError, match=reason) as caught:
        check(data)
    assert caught.value.message.startswith("m.tflite: ")


def test_a_field_that_is_absent():
    data = bytearray(tflite())
    model = struct.unpack_from("<I", data, 0)[0]
    vtable = model - struct.unpack_from("<i", data, model)[0]
    struct.pack_into("<H", data, vtable + 4 + 2 * 1, 0)
    with pytest.raises(BundleError, match="has no operator codes"):
        check(bytes(data))


def test_the_number_of_tables_is_bounded(monkeypatch):
    monkeypatch.setattr(tflite_model, "_MAX_TABLES", 3)
    with pytest.raises(BundleError, match="more tables"):
        check(tflite(subgraphs=5))


def test_every_truncation():
    data = tflite()
    for length in range(len(data) - 1):
        with pytest.raises(BundleError):
            check(data[:length])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 6))
def test_fuzz_mutations(seed, count):
    source = random.Random(seed)
    data = bytearray(tflite())
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    try:
        check(bytes(data))
    except BundleError as error:
        assert str(error).isprintable()


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no test data at {DATA}; set EDGEKIT_TEST_DATA")
def test_real_models():
    models = sorted(DATA.glob("**/*.tflite"))
    assert models
    for path in models:
        check(path.read_bytes())
