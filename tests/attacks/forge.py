"""Makes bundles that no writer would: every byte can be set, consistent or not."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from edgekit.bundle.layout import CENTRAL_BYTES, directory, local_header, place
from tests.bundle.samples import manifest, members

ALIGNED = ("models/int8/model.onnx", "models/int8/weights.bin")


@dataclass
class Forgery:
    """A bundle in parts, consistent until somebody edits it.

    Attributes:
        content: member path → bytes, in the file's order.
        document: ``manifest.json`` as a tree; its file list is made from ``content``.
        edits: changes to the tree, applied after the file list was made.
        text: changes to the manifest's bytes.
        signature: content of ``signature.json``.
    """

    content: dict[str, bytes] = field(default_factory=lambda: dict(members()))
    edits: list[Callable[[Any], object]] = field(default_factory=list)
    text: Callable[[bytes], bytes] = lambda data: data
    signature: Callable[[bytes], bytes] | None = None

    def document(self) -> dict[str, Any]:
        """The manifest as a tree, its sizes and hashes right."""
        tree: dict[str, Any] = msgspec.to_builtins(manifest())
        tree["files"] = [
            {"path": p, "size": len(d), "sha256": hashlib.sha256(d).hexdigest(), "aligned": p in ALIGNED}
            for p, d in self.content.items()
        ]
        sizes = [len(self.content[path]) for path in ALIGNED if path in self.content]
        tree["variants"][0]["bytes"] = sum(sizes)
        for edit in self.edits:
            edit(tree)
        return tree

    def manifest(self) -> bytes:
        """Bytes of ``manifest.json``."""
        return self.text(json.dumps(self.document()).encode())

    def entries(self) -> list[tuple[str, bytes, bool]]:
        """All members, the manifest first: path, content, aligned."""
        head = self.manifest()
        out = [("manifest.json", head, False)]
        out += [(path, data, path in ALIGNED) for path, data in self.content.items()]
        if self.signature:
            out.append(("signature.json", self.signature(head), False))
        return out

    def build(self) -> bytes:
        """The whole file."""
        return archive(self.entries())


def archive(entries: list[tuple[str, bytes, bool]], hidden: Mapping[int, bytes] | None = None) -> bytes:
    """A ZIP of these members, laid out as bundles are; ``hidden`` puts bytes before the member of that number."""
    hidden = hidden or {}
    body, slots, offset = b"", [], 0
    for index, (path, data, aligned) in enumerate(entries):
        body += hidden.get(index, b"")
        offset = len(body)
        (slot,) = place([(path, len(data), aligned)], offset)
        slots.append(slot)
        body += local_header(slot, zlib.crc32(data)) + data
    body += hidden.get(len(entries), b"")
    tail = bytearray(directory(slots, [zlib.crc32(data) for _, data, _ in entries]))
    tail[-6:-2] = len(body).to_bytes(4, "little")
    return body + bytes(tail)


def local_offset(data: bytes, path: str) -> int:
    """Where the local header of a member starts."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        return zipped.getinfo(path).header_offset


def central_offset(data: bytes, path: str) -> int:
    """Where the central directory's entry of a member starts."""
    return data.rindex(path.encode()) - CENTRAL_BYTES


def patch(data: bytes, offset: int, new: bytes) -> bytes:
    """Bytes with some of them replaced."""
    return data[:offset] + new + data[offset + len(new) :]
