from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.bundle.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field, Wire
from edgekit.bundle.ranges import BytesRange
from edgekit.errors import BundleError
from tests.bundle.samples import field, varint


def walk(data, **options):
    return list(Wire(BytesRange(data), "m", **options).fields(0, len(data)))


def test_every_wire_type():
    data = field(1, 300) + b"\x11" + bytes(8) + field(3, b"abc") + b"\x25" + bytes(4)
    assert walk(data) == [
        Field(1, VARINT, 300, 1, 3),
        Field(2, FIXED64, 0, 4, 12),
        Field(3, BYTES, 0, 14, 17),
        Field(4, FIXED32, 0, 18, 22),
    ]


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**32, 2**63, 2**64 - 1])
def test_varints(value):
    assert walk(field(1, value))[0].value == value


def test_nothing_is_an_empty_message():
    assert walk(b"") == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80", "a varint that does not end"),
        (b"\x08", "a varint that does not end"),
        (b"\x08" + b"\x80" * 10, "a varint that does not end"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "a varint that does not end"),  # 2^64 and more
        (b"\x80\x80\x80\x80\x80\x01\x00", "a varint that does not end"),  # a tag of six bytes
        (b"\x00\x00", "field number 0"),
        (varint(2**29 << 3) + b"\x00", "field number 536870912"),
        (b"\x0b", "wire type 3"),
        (b"\x0c", "wire type 4"),
        (b"\x0e", "wire type 6"),
        (b"\x0a\x05abcd", "field 1 ends at byte 7, its message at 6"),
        (b"\x0a" + varint(2**63), "ends at byte"),
        (b"\x0d\x00", "field 1 ends at byte 5, its message at 2"),
        (b"\x09\x00", "field 1 ends at byte 9, its message at 2"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(BundleError, match=reason):
        walk(data)


def test_the_number_of_fields_is_bounded():
    data = field(1, 0) * 100
    assert len(walk(data, max_fields=100)) == 100
    with pytest.raises(BundleError, match="m: byte 198: more fields"):
        walk(data, max_fields=99)


def test_packed_values_count_as_fields():
    data = bytes(range(100))
    assert list(Wire(BytesRange(data), "m", 100).varints(0, 100)) == list(range(100))
    with pytest.raises(BundleError, match="more values"):
        list(Wire(BytesRange(data), "m", 99).varints(0, 100))


def test_a_long_message_is_read_block_by_block():
    reads = []

    class Counting(BytesRange):
        def read(self, offset, length):
            reads.append(length)
            return super().read(offset, length)

    data = (field(1, 7) + field(2, bytes(1000))) * 1000
    assert len(list(Wire(Counting(data), "m").fields(0, len(data)))) == 2000
    assert len(reads) <= 20
    assert max(reads) == 1 << 16


def test_blocks_do_not_change_what_is_read():
    data = b"".join(field(1 + i % 15, i * 37) + field(3, bytes(i % 11)) for i in range(20_000))
    fields = walk(data)
    assert [f.value for f in fields if f.wire == VARINT] == [i * 37 for i in range(20_000)]
    assert fields[-1].end == len(data)


values = st.integers(0, 2**64 - 1) | st.binary(max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2**29 - 1), values), max_size=10))
def test_what_is_encoded_is_read_back(items):
    data = b"".join(field(number, value) for number, value in items)
    wire = Wire(BytesRange(data), "m")
    read = [
        (f.number, f.value if f.wire == VARINT else wire.read(f.start, f.end))
        for f in wire.fields(0, len(data))
    ]
    assert read == items


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=100))
def test_fuzz_ends_in_fields_or_a_bundle_error(data):
    try:
        fields = walk(data)
    except BundleError:
        return
    assert sum(1 for _ in fields) <= len(data)
    assert all(0 < f.start <= f.end <= len(data) for f in fields)
