from __future__ import annotations

import pytest
from msgspec.structs import replace

from edgekit.bundle import contents
from edgekit.bundle.check import variant_bytes
from edgekit.bundle.contents import check_contents
from edgekit.bundle.ranges import BytesRange
from edgekit.bundle.reader import open_bundle
from edgekit.bundle.writer import write_bundle
from edgekit.errors import BundleError
from tests.bundle.samples import LABELS, MODEL_PATH, manifest, members, one_model, onnx_inline, png
from tests.bundle.test_tflite_model import tflite


def check(sample, **changes):
    content = members(**changes)
    check_contents(open_bundle(sample).manifest, lambda path: BytesRange(content[path]), "pets.edge")


def test_the_sample_is_fine(sample):
    check(sample)


def test_a_byte_order_mark_and_odd_spaces_are_text(sample):
    check(sample, labels="\ufeffa\tb\n\u3000\n".encode())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": b""}, "labels.txt: 0 bytes of text"),
        ({"labels": b"a\xff"}, "labels.txt: byte 1 is not UTF-8"),
        ({"labels": b"a\r\nb"}, r"control character U\+000D"),
        ({"labels": b"\x1b[31mred"}, r"control character U\+001B"),
        ({"labels": "a\x9b".encode()}, r"control character U\+009B"),
        ({"labels": b"a\0"}, r"control character U\+0000"),
        ({"picture": b""}, "golden/0.png: starts with b''"),
        ({"picture": b"\xff\xd8\xff\xe0" + bytes(40)}, "expected a PNG picture"),
        ({"picture": png()[:20]}, "expected a PNG picture"),
        ({"picture": png(0, 2)}, "is 0×2 pixels"),
        ({"picture": png()[:16] + b"\0\1\0\0" + png()[20:]}, "is 65536×2 pixels"),
        ({"picture": png()[:24] + b"\x10" + png()[25:]}, "has 16 bits a channel"),
        ({"model": b"junk"}, r"pets\.edge: models/int8/model\.onnx: byte"),
    ],
)
def test_what_must_not_be_used(sample, changes, reason):
    with pytest.raises(BundleError, match=reason):
        check(sample, **changes)


def test_licence_texts_come_as_they_are(tmp_path):
    noted = manifest(card=replace(manifest().card, notices=("LICENSE",)))
    write_bundle(tmp_path / "a.edge", noted, {**members(), "LICENSE": b"Apache\r\n\x0cLicense\r\n"})
    with pytest.raises(BundleError, match=r"LICENSE: holds the control character U\+001B"):
        write_bundle(tmp_path / "b.edge", noted, {**members(), "LICENSE": b"\x1b[2J"})


def test_long_texts(sample, monkeypatch):
    monkeypatch.setattr(contents, "MAX_TEXT_BYTES", len(LABELS) - 1)
    with pytest.raises(BundleError, match="bytes of text, expected 1 to"):
        check(sample)


@pytest.mark.parametrize("path", ["model.onnx", "models/a/b/model.onnx"])
def test_a_model_in_any_folder(tmp_path, path):
    graph = one_model(path=path, external=())
    data = onnx_inline()
    variant = (
        manifest()
        .variants[0]
        .__class__("int8", "r", "int8", {"model": graph}, variant_bytes([graph], {path: len(data)}))
    )
    write_bundle(
        tmp_path / "a.edge",
        manifest(variants=(variant,), golden=(), evidence=()),
        {path: data, "labels.txt": LABELS},
    )
    assert open_bundle(tmp_path / "a.edge").verify().members == 3


def test_a_tflite_variant(tmp_path):
    graph = one_model(path="m.tflite", format="tflite", external=())
    variant = manifest().variants[0].__class__("int8", "r", "int8", {"model": graph}, len(tflite()))
    whole = manifest(variants=(variant,), golden=(), evidence=())
    write_bundle(tmp_path / "a.edge", whole, {"m.tflite": tflite(), "labels.txt": LABELS})
    assert open_bundle(tmp_path / "a.edge").verify().members == 3
    with pytest.raises(BundleError, match=r"b\.edge: m\.tflite: byte 24"):
        bad = b"\x18\x00\x00\x00TFL3"
        variant = manifest().variants[0].__class__("int8", "r", "int8", {"model": graph}, len(bad))
        whole = manifest(variants=(variant,), golden=(), evidence=())
        write_bundle(tmp_path / "b.edge", whole, {"m.tflite": bad, "labels.txt": LABELS})
    assert MODEL_PATH not in {file.path for file in open_bundle(tmp_path / "a.edge").manifest.files}
