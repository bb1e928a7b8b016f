from __future__ import annotations

import base64
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edgekit.bundle.codec import decode_manifest, decode_signature, encode_manifest
from edgekit.bundle.layout import MAX_MANIFEST_BYTES
from edgekit.bundle.manifest import File
from edgekit.errors import BundleError
from tests.bundle.samples import DIGEST, drop, manifest, members, sizes

PAYLOAD_TYPE = "application/vnd.edgekit.manifest.v1+json"


def complete():
    models = ("models/int8/model.onnx", "models/int8/weights.bin")
    files = tuple(File(p, n, DIGEST, p in models) for p, n in sizes(members()).items())
    return manifest(files=files)


def encoded():
    return encode_manifest(complete())


def envelope(manifest_bytes: bytes, sig: str = "AAAA", **changes) -> bytes:
    body = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(manifest_bytes).decode(),
        "signatures": [{"keyid": "k", "sig": sig}],
    }
    return json.dumps({**body, **changes}).encode()


def test_round_trip():
    assert decode_manifest(encoded()) == complete()


def test_recipes_keep_their_kinds():
    """A whole number, a fraction and a truth value stay three things."""
    table = decode_manifest(encoded()).lock.recipes["int8"]["model"]
    assert [(type(value), value) for value in table.values()] == [
        (bool, True),
        (float, 0.3),
        (str, "int8"),
        (dict, {"scores": "half"}),
        (int, 160),
        (tuple, ("conv0", "conv1")),
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [1],
        [["conv0"]],
        {"conv0": 4},
        {"conv0": {"mode": "half"}},
        "",
        [""],
        ["c"] * 16_385,
        "a\u202eb",
        ["a\x07"],
    ],
)
def test_recipes_are_flat_tables_of_plain_texts(value):
    tree = json.loads(encoded())
    tree["lock"]["recipes"]["int8"]["model"]["wide"] = value
    with pytest.raises(BundleError, match=r"manifest.json: .*(recipes|lock)"):
        decode_manifest(json.dumps(tree).encode())


def test_maps_are_sorted_so_that_equal_manifests_are_equal_bytes():
    a = replace(complete(), lock=replace(complete().lock, tools={"a": "1", "b": "2"}))
    b = replace(complete(), lock=replace(complete().lock, tools={"b": "2", "a": "1"}))
    assert encode_manifest(a) == encode_manifest(b)


def test_json_ends_in_a_newline_and_is_plain_json():
    data = encoded()
    assert data.endswith(b"}\n")
    assert json.loads(data)["format"] == "edgekit-bundle"


@pytest.mark.parametrize(
    ("change", "reason", "remedy"),
    [
        (
            lambda t: next(iter(t["variants"][0]["models"].values()))["input"].pop("kind"),
            "field `kind`",
            "export it again",
        ),
        (lambda t: t.pop("lock"), "field `lock`", "an edgekit of an earlier day wrote it"),
        (lambda t: t.update(later=1), "field `later`", "a later edgekit may have written it: update edgekit"),
        (lambda t: t.pop("version"), "field `version`", "the file is damaged or was not written by edgekit"),
        (lambda t: t.update(name=3), "Expected `str`", "the file is damaged or was not written by edgekit"),
    ],
)
def test_a_manifest_of_another_day_is_not_called_damaged(change, reason, remedy):
    tree = json.loads(encoded())
    change(tree)
    with pytest.raises(BundleError, match=f"manifest.json: .*{reason}") as caught:
        decode_manifest(json.dumps(tree).encode())
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "zip"}, "format 'zip', expected 'edgekit-bundle'"),
        ({"version": 2}, "bundle version 2, this edgekit reads version 1"),
        ({"version": 10**40}, "manifest.json"),
        ({"version": "1"}, "Expected `int`"),
        ({"extra": 1}, "unknown field"),
        ({"name": "UPPER"}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "a" * 65}, "name"),
        ({"variants": []}, "variants"),
        ({"files": [{"path": "../a", "size": 1, "sha256": DIGEST}]}, "files"),
        ({"files": [{"path": "a", "size": -1, "sha256": DIGEST}]}, "size"),
        ({"files": [{"path": "a", "size": 2**53, "sha256": DIGEST}]}, "size"),
        ({"files": [{"path": "a", "size": 1.5, "sha256": DIGEST}]}, "size"),
        ({"files": [{"path": "a", "size": 1, "sha256": DIGEST.upper()}]}, "sha256"),
        ({"files": [{"path": "a", "size": 1, "sha256": DIGEST + "\n"}]}, "sha256"),
    ],
)
def test_what_the_schema_refuses(change, reason):
    data = json.dumps({**json.loads(encoded()), **change}).encode()
    with pytest.raises(BundleError) as caught:
        decode_manifest(data)
    assert reason in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xef\xbb\xbf{}",
        b"1" * 5000,
    ],
)
def test_what_is_no_manifest(data):
    with pytest.raises(BundleError, match=r"manifest\.json"):
        decode_manifest(data)


def test_a_manifest_above_the_cap_is_not_parsed():
    with pytest.raises(BundleError, match="expected up to"):
        decode_manifest(b" " * (MAX_MANIFEST_BYTES + 1))


def test_a_key_given_twice_is_refused_at_any_depth():
    data = encoded().replace(b'"title":"Pets"', b'"title":"Cats","title":"Pets"')
    with pytest.raises(BundleError, match="key 'title' is given twice"):
        decode_manifest(data)


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"null"])
def test_numbers_are_finite(literal):
    data = encoded().replace(b'"value":0.3', b'"value":' + literal)
    with pytest.raises(BundleError):
        decode_manifest(data)


def test_a_writer_cannot_store_what_is_not_a_number():
    bad = replace(complete().variants[0], drop=drop(value=float("nan")))
    with pytest.raises(BundleError, match="Expected `float`, got `null`"):
        encode_manifest(replace(complete(), variants=(bad,)))


def test_messages_are_one_line_without_control_characters():
    data = encoded().replace(b'"format":', b'"a\\u001b[2J\\nb":1,"format":')
    with pytest.raises(BundleError) as caught:
        decode_manifest(data)
    assert caught.value.message.isprintable()


def test_a_key_given_twice_is_found_fast_among_many():
    pairs = ",".join(f'"k{i}":"{DIGEST}"' for i in [*range(40_000), 39_999])
    data = encoded().replace(b'"weights":{', b'"weights":{' + pairs.encode() + b",")
    with pytest.raises(BundleError, match="key 'k39999' is given twice"):
        decode_manifest(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_fuzz_bytes(data):
    with pytest.raises(BundleError):
        decode_manifest(data)


@st.composite
def mutations(draw):
    """The sample manifest with one value somewhere replaced by another JSON value."""
    tree = json.loads(encoded())
    node = tree
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        child = node[key]
        if not (isinstance(child, dict | list) and child) or draw(st.integers(0, 3)) == 0:
            break
        node = child
    scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    node[key] = draw(
        scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=4), scalars, max_size=2)
    )
    return json.dumps(tree).encode()


@settings(max_examples=300, deadline=None)
@given(mutations())
def test_fuzz_manifests_decode_or_are_refused(data):
    try:
        decoded = decode_manifest(data)
    except BundleError as error:
        assert error.message.isprintable()
        return
    assert decode_manifest(encode_manifest(decoded)) == decoded


def test_signature_of_this_manifest():
    signature = decode_signature(envelope(b"{}"), b"{}")
    assert signature.signatures[0].keyid == "k"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (envelope(b"{ }"), "another manifest"),
        (envelope(b"{}", sig="A"), r"signatures\[0\].sig is not base64"),
        (envelope(b"{}", payload="e30"), "payload is not base64"),
        (envelope(b"{}", payload="e3 0="), "payload is not base64"),
        (envelope(b"{}", payload="é"), "payload is not base64"),
        (envelope(b"{}", signatures=[]), "signatures"),
        (envelope(b"{}", payloadType="application/json"), "payloadType"),
        (envelope(b"{}", more=1), "unknown field"),
        (envelope(b"{}").replace(b'"keyid"', b'"keyid":"j","keyid"'), "given twice"),
        (b"", "signature.json"),
    ],
)
def test_broken_signatures(data, reason):
    with pytest.raises(BundleError, match=reason):
        decode_signature(data, b"{}")


def test_the_schema_is_frozen():
    with pytest.raises((AttributeError, msgspec.ValidationError)):
        complete().name = "other"
