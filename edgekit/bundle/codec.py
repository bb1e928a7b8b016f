"""Bytes of ``manifest.json`` and ``signature.json`` to structs and back. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, TypeVar

import msgspec

from edgekit.bundle.check import check_manifest
from edgekit.bundle.layout import MAX_MANIFEST_BYTES
from edgekit.bundle.manifest import FORMAT, VERSION, Manifest, Signature
from edgekit.bundle.messages import printable
from edgekit.errors import BundleError

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DAMAGED = "the file is damaged or was not written by edgekit; fetch or export it again"
_OLDER = "an edgekit of an earlier day wrote it, before there was such a field: export it again"
_NEWER = "a later edgekit may have written it: update edgekit, or export it again with this one"
_REMEDIES = {"Object missing required field": _OLDER, "Object contains unknown field": _NEWER}
"""What msgspec says of whole JSON whose fields are those of another day → what to do."""


class _Header(msgspec.Struct):
    format: str
    version: int


def encode_manifest(manifest: Manifest) -> bytes:
    """JSON of a manifest: keys in the schema's order, those of maps sorted, no spaces, a final newline.

    Raises:
        BundleError: the manifest breaks a rule of the format.
    """
    data = _ENCODER.encode(manifest) + b"\n"
    decode_manifest(data)
    check_manifest(manifest)  # what JSON cannot hold, such as NaN, is seen in the struct only
    return data


def decode_manifest(data: bytes) -> Manifest:
    """Manifest of a bundle, checked.

    Raises:
        BundleError: not JSON, of another format or version, or breaking a rule of the format.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise BundleError(f"manifest.json: {len(data)} bytes, expected up to {MAX_MANIFEST_BYTES}", _DAMAGED)
    header = _decode(data, _Header, "manifest.json")
    if header.format != FORMAT:
        raise BundleError(f"manifest.json: format {printable(header.format)}, expected {FORMAT!r}", _DAMAGED)
    if header.version != VERSION:
        what = f"bundle version {header.version}, this edgekit reads version {VERSION}"
        raise BundleError(f"manifest.json: {what}", "update edgekit")
    manifest = _decode(data, Manifest, "manifest.json")
    _refuse_repeated_keys(data, "manifest.json")
    check_manifest(manifest)
    return manifest


def decode_signature(data: bytes, manifest: bytes) -> Signature:
    """Signature member, checked to envelop exactly this manifest. The signatures themselves are not verified.

    Raises:
        BundleError: not a DSSE envelope of ours, or of another manifest.
    """
    signature = _decode(data, Signature, "signature.json")
    _refuse_repeated_keys(data, "signature.json")
    if _unbase64(signature.payload, "payload") != manifest:
        raise BundleError("signature.json: its payload is another manifest than the bundle's", _DAMAGED)
    for index, one in enumerate(signature.signatures):
        _unbase64(one.sig, f"signatures[{index}].sig")
    return signature


def _decode(data: bytes, kind: type[T], member: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        remedies = _REMEDIES if kind is Manifest else {}  # what has no format of ours is of no other day
        remedy = next((told for start, told in remedies.items() if reason.startswith(start)), _DAMAGED)
        raise BundleError(f"{member}: {printable(reason, 300)[1:-1]}", remedy) from error


def _refuse_repeated_keys(data: bytes, member: str) -> None:
    """Two readers may take different ones of two equal keys, and so see two manifests in one signed file."""

    def pairs(items: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in items:
            if key in seen:
                raise BundleError(f"{member}: key {printable(key)} is given twice", _DAMAGED)
            seen.add(key)

    json.loads(data, object_pairs_hook=pairs)


def _unbase64(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BundleError(f"signature.json: {field} is not base64 ({error})", _DAMAGED) from error
