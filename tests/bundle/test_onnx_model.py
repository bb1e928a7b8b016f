from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.bundle.onnx_model import MAX_DEPTH, check_onnx
from edgekit.bundle.onnx_schema import ITEM_BITS, MESSAGES, STRING
from edgekit.bundle.protobuf import BYTES, FIXED32, FIXED64, VARINT
from edgekit.bundle.ranges import BytesRange
from edgekit.errors import BundleError
from tests.bundle.samples import (
    entry,
    external,
    field,
    graph,
    model,
    node,
    onnx_external,
    onnx_inline,
    tensor,
    varint,
)

LISTED = {"weights.bin": 64}


def check(data, listed=None):
    check_onnx(BytesRange(data), "m.onnx", LISTED if listed is None else listed)


def with_tensor(*parts, dims=(4, 4), dtype=1):
    return model(graph(field(5, tensor("w", dims, dtype, *parts))))


def with_node(*attributes, operator="If"):
    return model(field(1, node(operator, *attributes)) + field(2, "g"))


def attribute(number, payload):
    return field(1, "a") + field(number, payload)


OUTSIDE = tensor("t", (4, 4), 1, external("/etc/passwd"))


def test_weights_inside_and_outside():
    check(onnx_inline(), {})
    check(onnx_external())


def test_a_part_of_the_external_file():
    check(onnx_external(external(offset=16, length=48)).replace(field(1, 4) * 2, field(1, 4) + field(1, 3)))
    check(onnx_external(external(checksum="ab")))


@pytest.mark.parametrize(
    "place",
    [
        lambda t: model(graph(field(5, t))),
        lambda t: model(graph(field(15, field(1, t)))),
        lambda t: model(graph(field(15, field(2, t)))),
        lambda t: with_node(attribute(5, t)),
        lambda t: with_node(attribute(10, t)),
        lambda t: with_node(attribute(6, field(5, t))),
        lambda t: with_node(attribute(11, field(5, t))),
        lambda t: with_node(attribute(22, field(1, t))),
        lambda t: with_node(attribute(23, field(2, t))),
        lambda t: with_node(attribute(6, field(1, node("If", attribute(6, field(5, t)))))),
        lambda t: model(graph(), field(25, field(7, node("C", attribute(5, t))))),
        lambda t: model(graph(), field(25, field(11, attribute(5, t)))),
        lambda t: model(graph(), field(20, field(1, field(5, t)))),
        lambda t: model(graph(), field(20, field(2, field(5, t)))),
    ],
    ids=[
        "initializer",
        "sparse values",
        "sparse indices",
        "attribute tensor",
        "attribute tensors",
        "subgraph",
        "subgraphs",
        "attribute sparse tensor",
        "attribute sparse tensors",
        "subgraph of a subgraph",
        "function body",
        "function attribute default",
        "training initialization",
        "training algorithm",
    ],
)
def test_external_data_is_found_wherever_a_tensor_can_be(place):
    with pytest.raises(
        BundleError, match=r"external data in '/etc/passwd', the manifest lists 'weights.bin'"
    ):
        check(place(OUTSIDE))
    check(place(tensor()), {})


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([external("../weights.bin")], "external data in '../weights.bin'"),
        ([external("./weights.bin")], "external data in './weights.bin'"),
        ([external("WEIGHTS.bin")], "external data in 'WEIGHTS.bin'"),
        ([external("")], "external data in ''"),
        ([external("a\0b")], "external data in 'a\\\\x00b'"),
        ([external("*/_ORT_MEM_ADDR_/*", offset=4096, length=64)], "at an address in memory"),
        ([external(offset=1)], "up to byte 65, 'weights.bin' has 64"),
        ([external(offset=0, length=65)], "has 65 bytes, its tensor 64"),
        ([external(offset=0, length=4)], "has 4 bytes, its tensor 64"),
        ([external(length=9223372036854775807)], "bytes, its tensor 64"),
        ([external(length="9" * 30)], "expected a decimal number"),
        ([external(offset=-1)], "offset '-1', expected a decimal number"),
        ([external(offset="0x10")], "offset '0x10'"),
        ([external(offset="")], "offset ''"),
        ([external(offset="١")], "offset"),
        ([external(pickle="x")], "key 'pickle'"),
        ([external(), field(13, entry("offset", "0")), field(13, entry("offset", "0"))], "key 'offset'"),
        ([external(), field(13, entry("location", "weights.bin"))], "key 'location'"),
        ([field(13, entry("offset", "0")), field(14, 1)], "external data in ''"),
        ([field(13, field(1, "location") + field(1, "offset")), field(14, 1)], "given twice"),
        ([field(13, field(1, b"\xff")), field(14, 1)], "not UTF-8"),
        ([field(13, entry("location", "x" * 1025)), field(14, 1)], "longer than 1,024 bytes"),
        ([field(14, 1)], r"data_location 1 with external data \[\]"),
        ([field(13, entry("location", "weights.bin"))], r"data_location 0 with external data \['location'\]"),
        ([external() + field(14, 0)], "field 14 of TensorProto is given twice"),
        ([field(14, 2)], "data_location 2"),
        ([external(), field(9, bytes(64))], "both raw and external"),
        ([field(9, bytes(63))], "raw_data has 63 bytes"),
        ([field(9, bytes(32)), field(9, bytes(32))], "field 9 of TensorProto is given twice"),
        ([field(1, b"\x04"), field(9, bytes(64))], "raw_data has 64 bytes, data type 1 .4, 4, 4. has 256"),
        ([field(1, 2**63), external()], "negative dimension"),
        ([field(1, 2**40), external()], "more than 4294967296 bytes"),
        ([field(1, 1) * 63, external()], "more than 64 dimensions"),
        ([field(1, b"\x01" * 63), external()], "more than 64 dimensions"),
        ([field(99, 0)], "TensorProto has no field 99"),
        ([b"\x75\x00\x00\x00\x00"], "field 14 of TensorProto has wire type 5"),
    ],
)
def test_hostile_tensors(parts, reason):
    with pytest.raises(BundleError, match=reason) as caught:
        check(with_tensor(*parts))
    assert caught.value.message.startswith("m.onnx: ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("dtype", [0, STRING, 27, 99])
def test_data_types_without_a_size(dtype):
    for part in (field(9, bytes(64)), external()):
        with pytest.raises(BundleError, match="raw or external data of"):
            check(with_tensor(part, dtype=dtype))
    check(with_tensor(field(6, b"text"), dtype=STRING), {})


@pytest.mark.parametrize(
    ("dtype", "dims", "size"), [(22, (3,), 2), (25, (5,), 2), (15, (2,), 32), (9, (), 1), (1, (0, 7), 0)]
)
def test_sizes_of_odd_types(dtype, dims, size):
    check(with_tensor(field(9, bytes(size)), dims=dims, dtype=dtype), {})
    with pytest.raises(BundleError, match="raw_data has"):
        check(with_tensor(field(9, bytes(size + 1)), dims=dims, dtype=dtype), {})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "has no ir_version"),
        (field(7, graph()), "has no ir_version"),
        (field(1, 8), "has no graph"),
        (field(1, 8) + field(7, graph()), "has no opset_import"),
        (model(graph(), field(7, graph())), "field 7 of ModelProto is given twice"),
        (model(graph(), field(30, b"")), "ModelProto has no field 30"),
        (with_node(operator="EPContext"), "operator EPContext opens files by itself"),
        (with_node(operator="x" * 1025), "operator's name longer"),
        (onnx_inline()[:-1], "ends at byte"),
        (b"PK\x03\x04" + bytes(100), "ModelProto has no field 10"),
        (b"\x18\x00\x00\x00TFL3", "ModelProto"),
        (b"ORTM" + bytes(50), "m.onnx"),
    ],
)
def test_what_is_no_model(data, reason):
    with pytest.raises(BundleError, match=reason):
        check(data, {})


def test_listed_external_data_must_be_used():
    with pytest.raises(BundleError, match=r"no tensor uses the external data 'weights.bin'"):
        check(onnx_inline())


def nested(levels):
    inner = field(2, "g")
    for _ in range(levels):
        inner = field(1, node("If", attribute(6, inner)))
    return model(inner)


def test_depth_is_bounded():
    check(nested(MAX_DEPTH // 3 - 1), {})
    with pytest.raises(BundleError, match=f"deep, expected at most {MAX_DEPTH}"):
        check(nested(MAX_DEPTH // 3 + 1), {})
    with pytest.raises(BundleError, match="deep, expected at most"):
        check(nested(400), {})


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_fuzz_bytes(data):
    with pytest.raises(BundleError):
        check(data)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 6))
def test_fuzz_mutations(seed, count):
    source = random.Random(seed)
    data = bytearray(onnx_external())
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    try:
        check(bytes(data))
    except BundleError as error:
        assert str(error).isprintable()


WIRES = {1: FIXED64, 2: FIXED32, 3: VARINT, 4: VARINT, 5: VARINT, 9: BYTES, 11: BYTES, 12: BYTES, 14: VARINT}


@pytest.mark.parametrize("kind", MESSAGES)
def test_tables_agree_with_the_installed_onnx(kind):
    """A field that a new onnx adds, and that could hold a tensor, must come to our notice."""
    pb = pytest.importorskip("onnx.onnx_ml_pb2")
    fields = getattr(pb, kind).DESCRIPTOR.fields
    assert {f.number for f in fields} == set(MESSAGES[kind])
    for f in fields:
        rule = MESSAGES[kind][f.number]
        assert rule.repeated == f.is_repeated, f.name
        assert WIRES[f.type] in rule.wires, f.name
        assert rule.message == (f.message_type.name if holds_tensor(f.message_type) else None), f.name


def holds_tensor(message, seen=frozenset()):
    if message is None or message.name in seen:
        return False
    if message.name == "TensorProto":
        return True
    return any(holds_tensor(f.message_type, seen | {message.name}) for f in message.fields)


def test_item_sizes_agree_with_the_installed_onnx():
    onnx = pytest.importorskip("onnx")
    types = {number: name for name, number in onnx.TensorProto.DataType.items()}
    for number, bits in ITEM_BITS.items():
        dtype = onnx.helper.tensor_dtype_to_np_dtype(number)
        assert dtype.itemsize * 8 == max(bits, 8), types[number]
        assert (bits < 8) == (types[number] in {"INT4", "UINT4", "FLOAT4E2M1", "INT2", "UINT2"})


def test_models_that_onnx_wrote():
    onnx = pytest.importorskip("onnx")
    check(onnx_inline(), {})
    loaded = onnx.load_model_from_string(onnx_inline())
    onnx.checker.check_model(loaded)
    check(loaded.SerializeToString(), {})


def test_external_data_that_onnx_wrote(tmp_path):
    onnx = pytest.importorskip("onnx")
    loaded = onnx.load_model_from_string(onnx_inline())
    onnx.save(
        loaded, tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    check((tmp_path / "m.onnx").read_bytes(), {"weights.bin": (tmp_path / "weights.bin").stat().st_size})


def test_the_packed_form_of_numbers():
    check(model(graph(field(5, field(1, varint(4) + varint(4)) + field(2, 1) + field(9, bytes(64))))), {})
