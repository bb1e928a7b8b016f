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
from tests import tflite_files
from tests.tflite_files import flatbuffer, ints

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
        struct.pack("<7H", 14, 24, 4, 8, 12, 0, 20)
    )  # version codes subgraphs (no description) buffers
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


def network(change=lambda root, graph: None):
    """A small network's tables, changed before they are written."""
    made = []

    def write(root):
        change(root, root[2][0])
        made.append(flatbuffer(root))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tflite_files, "flatbuffer", write)
        tflite_files.channel_means("int8", signature=({"picture": 0}, {"classes": 4}))
    return made[0]


def set_field(place, field, value):
    def change(root, graph):
        tables = {
            "root": root,
            "graph": graph,
            "tensor": graph[0][2],
            "operator": graph[3][1],
            "signature": root[7][0],
        }
        tables[place][field] = value

    return change


def test_a_whole_network():
    check(network())
    check(network(set_field("operator", 8, ints(-1, 4))))  # intermediates


@pytest.mark.parametrize(
    ("place", "field", "value", "reason"),
    [
        ("tensor", 2, ("I", 3), "index 3, expected one below 3"),
        ("graph", 1, ints(5), "index 5, expected one below 5"),
        ("graph", 2, ints(-1), "index -1, expected one below 5"),
        ("operator", 0, ("I", 2), "index 2, expected one below 2"),
        ("operator", 1, ints(2, 5, -1), "index 5, expected one below 5"),
        ("operator", 2, ints(-2), "index -2"),
        ("signature", 4, ("I", 1), "index 1, expected one below 1"),
        ("signature", 0, [{0: "x", 1: ("I", 9)}], "index 9, expected one below 5"),
        ("root", 8, [{0: "weights.bin"}], "keeps data in other files"),
        ("root", 9, [{}], "keeps data in other files"),
        ("tensor", 10, ("I", 1), "keeps data in other files"),
    ],
)
def test_indices_of_nothing_and_other_files(place, field, value, reason):
    with pytest.raises(BundleError, match=reason):
        check(network(set_field(place, field, value)))


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [
        ("root", 5, ("I", 10**6)),
        ("root", 3, ("I", 10**6)),
        ("graph", 4, ("I", 10**6)),
        ("tensor", 0, ("I", 10**6)),
        ("tensor", 4, {0: ("I", 10**6)}),
        ("tensor", 4, {4: ("B", 1), 5: {0: ("I", 10**6)}}),
        ("tensor", 6, {2: [{2: ("B", 3), 3: {0: ("I", 10**6)}}]}),
        ("tensor", 9, [{0: ("I", 10**6)}]),
        ("operator", 5, ("I", 10**6)),
        ("operator", 4, ("I", 10**6)),
        ("operator", 12, ("I", 10**6)),
        ("signature", 2, ("I", 10**6)),
    ],
)
def test_what_points_outside(place, field, value):
    with pytest.raises(BundleError, match="the file has"):
        check(network(set_field(place, field, value)))


@pytest.mark.parametrize(("kind", "refused"), [(17, True), (1, False)])
def test_options_are_read_by_their_kind(kind, refused):
    """Field 0 of Reshape's options points to a shape; of a convolution's it is a number."""

    def change(root, graph):
        graph[3][1].update({3: ("B", kind), 4: {0: ("I", 10**6)}})

    if refused:
        with pytest.raises(BundleError, match="the file has"):
            check(network(change))
    else:
        check(network(change))


def test_a_text_without_end():
    data = network()
    at = data.index(b"edgekit tests") + len("edgekit tests")
    with pytest.raises(BundleError, match="a text that does not end"):
        check(data[:at] + b"x" + data[at + 1 :])


def test_a_table_wider_than_any():
    wide = set_field("tensor", 200, ("b", 1))
    with pytest.raises(BundleError, match="a vtable of 406 bytes"):
        check(network(wide))


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no test data at {DATA}; set EDGEKIT_TEST_DATA")
def test_real_models():
    models = sorted(DATA.glob("**/*.tflite"))
    assert models
    for path in models:
        check(path.read_bytes())
