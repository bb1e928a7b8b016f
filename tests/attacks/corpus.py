"""Abusive bundles, made by code. README.md says where each comes from and which check refuses it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.bundle.layout import local_header, place
from edgekit.processing.wav import write_wav
from edgekit.types import Sound
from tests.attacks.forge import ALIGNED, Forgery, archive, central_offset, local_offset, patch
from tests.bundle.samples import entry, external, field, graph, model, node, onnx_external, png, tensor
from tests.tflite_files import flatbuffer

MODEL, WEIGHTS = ALIGNED
WAV = write_wav(Sound(np.zeros(4, np.float32), 8000))
MAX_FIELDS = 10_000
"""The tests lower the cap to this: the real one is half a million, and takes seconds."""


@dataclass(frozen=True)
class Attack:
    """One abusive bundle.

    Attributes:
        make: gives its bytes.
        reason: part of the one line that refuses it.
        opens: whether the structure is right, so that the content has to give it away.
    """

    make: Callable[[], bytes]
    reason: str
    opens: bool = False


def plain() -> bytes:
    return Forgery().build()


def edited(*edits) -> Callable[[], bytes]:
    return lambda: Forgery(edits=list(edits)).build()


def with_content(**changes: bytes) -> Callable[[], bytes]:
    """A consistent bundle with other members."""
    names = {"model": MODEL, "weights": WEIGHTS, "labels": "labels.txt", "picture": "golden/0.png"}

    def make():
        forgery = Forgery()
        forgery.content |= {names[key]: data for key, data in changes.items()}
        return forgery.build()

    return make


def renamed(new: str) -> Callable[[], bytes]:
    """The labels under another path, consistently."""

    def make():
        forgery = Forgery()
        forgery.content = {new if p == "labels.txt" else p: d for p, d in forgery.content.items()}
        forgery.edits.append(lambda t: t["variants"][0]["models"]["model"]["head"].update(labels=new))
        return forgery.build()

    return make


def noticed(path: str) -> Callable[[], bytes]:
    """One more text member of that path, listed and referred to."""

    def make():
        forgery = Forgery()
        forgery.content[path] = b"notice\n"
        forgery.edits.append(lambda t: t["card"].update(notices=[path]))
        return forgery.build()

    return make


def patched(path: str, where: int, new: bytes, central: bool = False) -> Callable[[], bytes]:
    """A field of a member's local header or central entry changed."""

    def make():
        data = plain()
        start = central_offset(data, path) if central else local_offset(data, path)
        return patch(data, start + where, new)

    return make


def tokenized(data: bytes, **text: object) -> Callable[[], bytes]:
    """The model is given a text, by a tokenizer of these bytes."""

    def make():
        forgery = Forgery()
        forgery.content["tokenizer.json"] = data
        given = {"kind": "text", "tokenizer": "tokenizer.json", "max_tokens": 8, **text}
        forgery.edits.append(lambda t: t["variants"][0]["models"]["model"].update(input=given))
        return forgery.build()

    return make


def heard(**sound: object) -> Callable[[], bytes]:
    """The model is given a sound."""
    given = {"kind": "sound", "tensor": "x", "rate_hz": 16_000, **sound}
    return edited(lambda t: t["variants"][0]["models"]["model"].update(input=given))


def decoding(template: bytes | None = None, head: dict | None = None, **given: object) -> Callable[[], bytes]:
    """The model is a decoder with these fields of its head and its input, and a chat template of these bytes."""

    def make():
        forgery = Forgery()
        forgery.content["tokenizer.json"] = b"{}"
        words = {
            "op": "logits_head",
            "tensor": "y",
            "tokenizer": "tokenizer.json",
            "vocabulary": 8,
            "ends": [1],
        }
        if template is not None:
            forgery.content["chat.jinja"] = template
            words["chat_template"] = "chat.jinja"
        taken = {
            "kind": "decoder", "tensor": "x", "takes": "ids", "past": [{"input": "p", "output": "q"}], "kv_heads": 1,
            "head_dim": 16, "context": 256,
        }  # fmt: skip
        del forgery.content["labels.txt"]
        model = {"input": taken | given, "head": words | (head or {})}
        forgery.edits.append(lambda t: t["variants"][0]["models"]["model"].update(model))
        return forgery.build()

    return make


def seeing(head: dict | None = None, **given: object) -> Callable[[], bytes]:
    """The model takes tiles of pictures with these fields of its head and its input."""
    tiles = {
        "kind": "tiles", "tensor": "x", "size": 512, "longest": 2048, "split": True,
        "mean": [0.5] * 3, "std": [0.5] * 3,
    }  # fmt: skip
    features = {
        "op": "features_head", "tensor": "y", "tokens": 64, "placeholder": 3, "layout": "idefics3",
    }  # fmt: skip

    def make():
        forgery = Forgery()
        del forgery.content["labels.txt"]
        model = {"input": tiles | given, "head": features | (head or {})}
        forgery.edits.append(lambda t: t["variants"][0]["models"]["model"].update(model))
        return forgery.build()

    return make


def golden_sound(data: bytes) -> Callable[[], bytes]:
    """The golden input is a recording of these bytes."""

    def make():
        forgery = Forgery()
        forgery.content = {
            p.replace(".png", ".wav"): data if p.endswith(".png") else d for p, d in forgery.content.items()
        }
        forgery.edits.append(lambda t: [g.update(input="golden/0.wav") for g in t["golden"]])
        return forgery.build()

    return make


def duplicate_member() -> bytes:
    forgery = Forgery()
    entries = forgery.entries()
    labels = next(one for one in entries if one[0] == "labels.txt")
    forgery.edits.append(
        lambda t: t["files"].append(next(f for f in t["files"] if f["path"] == "labels.txt"))
    )
    return archive([*forgery.entries(), labels])


def deflated() -> bytes:
    data = patched("labels.txt", 8, b"\x08")()
    return patch(data, central_offset(data, "labels.txt") + 10, b"\x08")


def symlink() -> bytes:
    data = patched("labels.txt", 5, b"\x03", central=True)()
    return patch(data, central_offset(data, "labels.txt") + 38, (0o120777 << 16).to_bytes(4, "little"))


def overlapping() -> bytes:
    """Two entries of the central directory share one body, as the densest zip bombs do."""
    data = plain()
    offset = local_offset(data, "golden/0.bin").to_bytes(4, "little")
    return patch(data, central_offset(data, "labels.txt") + 42, offset)


def other_name_inside() -> bytes:
    """Central directory and local header name one member differently."""
    data = plain()
    return patch(data, central_offset(data, "labels.txt") + 46, b"LABELS")


def not_in_the_manifest() -> bytes:
    return archive([*Forgery().entries(), ("evil.so", b"\x7fELF", False)])


def only_in_a_gap() -> bytes:
    (slot,) = place([("evil.so", 4, False)])
    hidden = local_header(slot, zlib.crc32(b"\x7fELF")) + b"\x7fELF"
    return archive(Forgery().entries(), {3: hidden})


def before_the_directory() -> bytes:
    entries = Forgery().entries()
    return archive(entries, {len(entries): b"hidden" * 100})


def manifest_last() -> bytes:
    head, *rest = Forgery().entries()
    return archive([*rest, head])


def two_end_records() -> bytes:
    """A second archive behind the first: readers that search from the end see another one."""
    return plain() + plain()


def archive_comment() -> bytes:
    data = plain()
    return data[:-2] + b"\x04\x00" + b"evil"


def padding_used() -> bytes:
    data = plain()
    return patch(data, local_offset(data, MODEL) + 30 + len(MODEL) + 100, b"payload")


def padding_of_another_kind() -> bytes:
    data = plain()
    return patch(data, local_offset(data, MODEL) + 30 + len(MODEL), b"\x01\x00")


def misaligned() -> bytes:
    """A model that does not start at a page, though the manifest says so."""
    entries = [(p, d, False) for p, d, _ in Forgery().entries()]
    return archive(entries)


def no_directory() -> bytes:
    data = plain()
    return data[: data.index(b"PK\x01\x02")]


def huge_manifest() -> bytes:
    return patch(plain(), 18, (2**32 - 2).to_bytes(4, "little") * 2)


def long_manifest() -> bytes:
    return Forgery(text=lambda data: data + b" " * 2**22).build()


def many_files() -> bytes:
    files = [{"path": f"f{i}", "size": 0, "sha256": "00" * 32} for i in range(4097)]
    return edited(lambda t: t["files"].extend(files))()


def nested_manifest() -> bytes:
    return Forgery(text=lambda data: b'{"format":"edgekit-bundle","version":1,"x":' + b"[" * 200_000).build()


def key_twice() -> bytes:
    return Forgery(
        text=lambda d: d.replace(b'"task": "classify"', b'"task": "ocr", "task": "classify"', 1)
    ).build()


def other_manifests_signature() -> bytes:
    return Forgery(signature=lambda head: envelope(head.replace(b"Pets", b"Cats"))).build()


def oversized_signature() -> bytes:
    return Forgery(signature=lambda head: envelope(head) + b" " * (8 * 2**20)).build()


def envelope(payload: bytes) -> bytes:
    body = {
        "payloadType": "application/vnd.edgekit.manifest.v1+json",
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": "", "sig": "AAAA"}],
    }
    return json.dumps(body).encode()


def signature_first() -> bytes:
    """The signature before the members, where a hasty reader would look for a member."""
    head, *rest = Forgery().entries()
    return archive([head, ("signature.json", envelope(head[1]), False), *rest])


def swapped_members() -> bytes:
    """Content of another member of the same size, CRC-32 made to fit: only the SHA-256 tells."""
    forgery = Forgery()
    entries = forgery.entries()
    return archive([(p, b"dog\ncat\nbird\nfish\n" if p == "labels.txt" else d, a) for p, d, a in entries])


def weights_at(location: str, **numbers: int | str) -> Callable[[], bytes]:
    return with_content(model=onnx_external(external(location, **numbers)))


def hidden_tensor(wrap: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """External data outside, in a place that shallow checks do not visit; the listed file is used as well."""
    outside = tensor("t", (4, 4), 1, external("../../../etc/passwd"))
    return with_content(model=wrap(outside))


USED = field(5, tensor("w", (4, 4), 1, external()))


def split_tensor(_: bytes) -> bytes:
    """One attribute in two pieces: parsers merge them into a tensor that neither piece is."""
    first = tensor("t", (4, 4), 1, field(13, entry("location", "/etc/passwd")))
    pieces = field(1, "a") + field(5, first) + field(5, field(14, 1))
    return model(graph(USED, field(1, node("Constant", pieces))))


def subgraph(tensor_bytes: bytes) -> bytes:
    inner = field(1, "then_branch") + field(6, field(5, tensor_bytes))
    return model(graph(USED, field(1, node("If", inner))))


def deep_subgraphs() -> bytes:
    inner = field(2, "g")
    for _ in range(300):
        inner = field(1, node("If", field(1, "b") + field(6, inner)))
    return with_content(model=model(inner))()


def many_fields() -> bytes:
    """Empty fields by the thousand: small to store, slow to walk."""
    return with_content(model=model(graph(USED)) + b"\x72\x00" * MAX_FIELDS)()


ATTACKS: dict[str, Attack] = {
    # the archive
    "path-traversal": Attack(renamed("../../.ssh/authorized_keys"), "path"),
    "path-absolute": Attack(renamed("/etc/cron.d/evil"), "path"),
    "path-backslash": Attack(renamed("a\\..\\..\\evil.txt"), "path"),
    "path-drive": Attack(renamed("C:evil.txt"), "path"),
    "path-newline": Attack(renamed("labels.txt\n"), "path"),
    "path-dot-inside": Attack(renamed("a/../labels.txt"), "segment '..'"),
    "path-hidden": Attack(renamed("models/.bashrc"), "segment '.bashrc'"),
    "path-device": Attack(renamed("nul.txt"), "device name on Windows"),
    "path-reserved": Attack(noticed("Manifest.json"), "the container itself uses"),
    "duplicate-member": Attack(duplicate_member, "listed twice"),
    "case-collision": Attack(noticed("LABELS.txt"), "differs from 'labels.txt' only in case"),
    "file-and-folder": Attack(noticed("labels.txt/x"), "both a file and a folder"),
    "symlink-member": Attack(symlink, "central directory"),
    "compressed-member": Attack(deflated, "header of labels.txt"),
    "encrypted-member": Attack(patched("labels.txt", 6, b"\x01"), "header of labels.txt"),
    "data-descriptor": Attack(patched("labels.txt", 6, b"\x08"), "header of labels.txt"),
    "overlapping-members": Attack(overlapping, "central directory"),
    "two-names": Attack(other_name_inside, "central directory"),
    "unlisted-member": Attack(not_in_the_manifest, "its manifest describes"),
    "member-in-a-gap": Attack(only_in_a_gap, "its manifest describes"),
    "bytes-before-directory": Attack(before_the_directory, "header or CRC-32 of signature"),
    "bytes-in-front": Attack(lambda: b"#!/bin/sh\nrm -rf /\n" + plain(), "starts with b'#!/b'"),
    "bytes-behind": Attack(lambda: plain() + b"evil", "its manifest describes"),
    "second-archive-behind": Attack(two_end_records, "header or CRC-32 of signature"),
    "archive-comment": Attack(archive_comment, "its manifest describes"),
    "padding-used": Attack(padding_used, f"header of {MODEL}"),
    "padding-of-another-kind": Attack(padding_of_another_kind, f"header of {MODEL}"),
    "model-not-aligned": Attack(misaligned, "its manifest describes"),
    "no-directory": Attack(no_directory, "its manifest describes"),
    "crc-disagrees": Attack(patched("labels.txt", 16, b"\0\0\0\0", central=True), "central directory"),
    "size-lie": Attack(patched("labels.txt", 22, b"\xff\xff\xff\x7f"), "header of labels.txt"),
    "zip64-size": Attack(patched("labels.txt", 18, b"\xff" * 8), "header of labels.txt"),
    "manifest-not-first": Attack(manifest_last, "header or CRC-32 of manifest.json"),
    # the manifest
    "manifest-of-4-gib": Attack(huge_manifest, "manifest.json has 4294967294 bytes"),
    "manifest-too-long": Attack(long_manifest, "expected 1 to 4194304"),
    "manifest-nested": Attack(nested_manifest, "manifest.json"),
    "manifest-key-twice": Attack(key_twice, "key 'task' is given twice"),
    "manifest-unknown-key": Attack(edited(lambda t: t.update(post_install="sh")), "unknown field"),
    "manifest-version-2": Attack(edited(lambda t: t.update(version=2)), "bundle version 2"),
    "manifest-nan": Attack(
        edited(lambda t: t["variants"][0]["drop"].update(value=float("nan"))), "malformed"
    ),
    "manifest-escape-codes": Attack(edited(lambda t: t["card"].update(title="\x1b[2J")), "control character"),
    "manifest-right-to-left": Attack(edited(lambda t: t["card"].update(license="\u202eTIM")), "U+202E"),
    "too-many-files": Attack(many_files, "length <= 4096"),
    "petabyte-member": Attack(edited(lambda t: t["files"][0].update(size=2**50)), "bytes"),
    "negative-size": Attack(edited(lambda t: t["files"][0].update(size=-1)), ">= 0"),
    "bytes-understated": Attack(edited(lambda t: t["variants"][0].update(bytes=1)), "bytes is 1"),
    "drop-understated": Attack(
        edited(lambda t: t["variants"][0]["drop"].update(interval=[0.4, 0.1])), "interval"
    ),
    "golden-too-short": Attack(
        edited(lambda t: t["golden"][0]["expected"][0].update(shape=[1, 3])), "'golden/0.bin' has 16 bytes"
    ),
    # the signature
    "signature-of-another-manifest": Attack(other_manifests_signature, "another manifest"),
    "signature-too-long": Attack(oversized_signature, "more than its manifest describes"),
    "signature-not-last": Attack(signature_first, "its manifest describes"),
    # the members
    "swapped-content": Attack(swapped_members, "member labels.txt: SHA-256", opens=True),
    "labels-escape-codes": Attack(
        with_content(labels=b"\x1b]0;pwned\x07\n"), "control character U+001B", opens=True
    ),
    "labels-not-text": Attack(with_content(labels=b"\xfe\xff"), "is not UTF-8", opens=True),
    "picture-bomb": Attack(
        with_content(picture=png(1, 1)[:16] + b"\0\1\0\0" * 2 + png()[24:]), "65536×65536", opens=True
    ),
    "picture-of-another-kind": Attack(
        with_content(picture=b"<svg onload=x>" * 4), "expected a PNG", opens=True
    ),
    "sound-of-another-kind": Attack(golden_sound(b"fLaC" + bytes(60)), "b'fLaC', expected a WAV", opens=True),
    "sound-of-256-channels": Attack(
        golden_sound(WAV[:22] + b"\0\1" + WAV[24:]), "256 channels of 16 bits", opens=True
    ),
    "tokenizer-nested": Attack(tokenized(b'{"model":' + b"[" * 200_000), "a JSON object", opens=True),
    "tokenizer-of-another-kind": Attack(tokenized(b"\x80\x04pickle"), "expected a JSON object", opens=True),
    # what a model is given
    "template-of-another-kind": Attack(
        decoding(b"\x80\x04pickle"), "chat.jinja: byte 0 is not UTF-8", opens=True
    ),
    "template-of-escape-codes": Attack(
        decoding(b"\x1b[2J{{ messages }}"), "holds the control character U+001B", opens=True
    ),
    "context-of-a-billion-tokens": Attack(decoding(context=2**30), "<= 131072 - at"),
    "keys-of-a-million-heads": Attack(decoding(kv_heads=2**20), "<= 1024 - at"),
    "end-beyond-the-vocabulary": Attack(
        decoding(head={"ends": [1, 8]}), "names token 8, expected tokens below 8"
    ),
    "keys-written-where-lengths-are": Attack(
        decoding(past=[{"input": "seqlens_k", "output": "q"}]), "expected each once"
    ),
    "texts-that-look-ahead": Attack(
        decoding(both_ways="both_ways"), "expected only beside pictures that look both ways"
    ),
    "lengths-told-twice": Attack(decoding(both_ways="seqlens_k"), "expected each once"),
    "decoder-without-scores": Attack(
        edited(
            lambda t: t["variants"][0]["models"]["model"].update(
                input={
                    "kind": "decoder",
                    "tensor": "x",
                    "takes": "ids",
                    "past": [{"input": "p", "output": "q"}],
                    "kv_heads": 1,
                    "head_dim": 16,
                    "context": 256,
                }
            )
        ),
        "expected a decoder input and a logits_head together",
    ),
    "text-of-a-billion-tokens": Attack(tokenized(b"{}", max_tokens=2**30), "<= 131072 - at"),
    "tiles-without-number": Attack(seeing(size=8), "size 8, which is 256 tiles a side, expected up to 16"),
    "tile-of-a-gigapixel": Attack(seeing(size=2**15), "<= 4096 - at"),
    "picture-enlarged-to-a-gigapixel": Attack(seeing(longest=2**15), "<= 4096 - at"),
    "tiles-never-normal": Attack(seeing(std=[0.5, 0, 0.5]), ">= 0.00390625 - at"),
    "marks-that-no-layout-has": Attack(seeing({"layout": "gemma3"}), "has no marks for rows and columns"),
    "sound-window-of-a-terabyte": Attack(heard(window_samples=2**38), "<= 67108864 - at"),
    "sound-padded-to-a-terabyte": Attack(heard(min_samples=2**38), "<= 67108864 - at"),
    "sound-frames-for-every-sample": Attack(
        heard(window_samples=16_000, features={"op": "log_mel", "mels": 80, "hop": 1}), ">= 16 - at"
    ),
    "sound-rate-of-a-gigahertz": Attack(heard(rate_hz=10**9), "<= 768000 - at"),
    "sound-never-normal": Attack(heard(features={"op": "standardize", "epsilon": 0}), "> 0.0 - at"),
    # the models
    "external-traversal": Attack(weights_at("../../../../etc/passwd"), "external data in '../", opens=True),
    "external-absolute": Attack(weights_at("/etc/passwd"), "external data in '/etc/passwd'", opens=True),
    "external-encoded": Attack(weights_at("..%2fweights.bin"), "external data in '..%2f", opens=True),
    "external-other-member": Attack(weights_at("../../labels.txt"), "external data in", opens=True),
    "external-in-memory": Attack(
        weights_at("*/_ORT_MEM_ADDR_/*", offset=0x7F0000000000, length=64), "address in memory", opens=True
    ),
    "external-past-the-end": Attack(weights_at("weights.bin", offset=32), "up to byte 96", opens=True),
    "external-petabyte": Attack(weights_at("weights.bin", length=2**50), "its tensor 64", opens=True),
    "external-negative": Attack(
        weights_at("weights.bin", offset=-64), "expected a decimal number", opens=True
    ),
    "external-attribute": Attack(weights_at("weights.bin", __class__="x"), "key '__class__'", opens=True),
    "external-sparse": Attack(
        hidden_tensor(lambda t: model(graph(USED, field(15, field(1, t))))), "external data in", opens=True
    ),
    "external-in-subgraph": Attack(hidden_tensor(subgraph), "external data in", opens=True),
    "external-in-function": Attack(
        hidden_tensor(
            lambda t: model(graph(USED), field(25, field(7, node("C", field(1, "a") + field(5, t)))))
        ),
        "external data in",
        opens=True,
    ),
    "external-in-pieces": Attack(hidden_tensor(split_tensor), "data_location 0", opens=True),
    "external-unused": Attack(with_content(model=model(graph())), "no tensor uses", opens=True),
    "tensor-overstated": Attack(
        with_content(model=model(graph(USED, field(5, tensor("v", (2**20, 2**20), 1, field(9, b"1234")))))),
        "a tensor of more than",
        opens=True,
    ),
    "operator-opens-files": Attack(
        with_content(model=model(graph(USED, field(1, node("EPContext"))))), "EPContext", opens=True
    ),
    "unknown-onnx-field": Attack(
        with_content(model=model(graph(USED), field(77, field(5, tensor())))), "no field 77", opens=True
    ),
    "deep-subgraphs": Attack(deep_subgraphs, "deep, expected at most", opens=True),
    "many-fields": Attack(many_fields, "more fields than any model needs", opens=True),
    "not-a-model": Attack(with_content(model=b"\x7fELF" + bytes(100)), f"{MODEL}: byte", opens=True),
    "tflite-of-8-bytes": Attack(lambda: tflite(b"\x18\0\0\0TFL3"), "4 bytes, the file has 8", opens=True),
    "tflite-root-outside": Attack(
        lambda: tflite(b"\xff\xff\xff\xffTFL3" + bytes(99)), "the file has", opens=True
    ),
    "tflite-other-files": Attack(
        lambda: tflite(flatbuffer({0: ("I", 3), 1: [{}], 2: [{}], 8: [{0: "../../etc/passwd"}]})),
        "keeps data in other files",
        opens=True,
    ),
    "tflite-index-of-nothing": Attack(
        lambda: tflite(flatbuffer({0: ("I", 3), 1: [{}], 2: [{0: [{2: ("I", 7)}]}]})),
        "index 7, expected one below 0",
        opens=True,
    ),
}


def tflite(data: bytes) -> bytes:
    """A bundle whose model is this TFLite file."""
    forgery = Forgery()
    forgery.content[MODEL] = data
    del forgery.content[WEIGHTS]
    forgery.edits.append(lambda t: t["variants"][0]["models"]["model"].update(format="tflite", external=[]))
    return forgery.build()
