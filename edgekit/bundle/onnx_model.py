"""Structural check of an ONNX file before an engine sees it, without onnx or protobuf.

It answers one question: which bytes outside the file would an engine touch? Hostile files point external data
at other files, at addresses in memory, or past the end (CVE-2022-25882, CVE-2024-5187, CVE-2024-27318,
CVE-2026-34445). What the graph computes is left to the engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from edgekit.bundle.messages import printable, some_of
from edgekit.bundle.onnx_schema import ITEM_BITS, MESSAGES, STRING
from edgekit.bundle.protobuf import BYTES, Field, Wire
from edgekit.bundle.ranges import Source
from edgekit.errors import BundleError

MAX_DEPTH = 48
"""Levels of messages; protobuf itself stops at 100. A subgraph takes three."""

MAX_TENSOR_BYTES = 2**32

_MAX_DIMS = 64
_MAX_ENTRY_BYTES = 1024
_EXTERNAL_KEYS = ("location", "offset", "length", "checksum")
_PATH_OPERATORS = (b"EPContext",)
"""Operators whose attributes name files that an execution provider opens by itself."""


def check_onnx(source: Source, name: str, external: Mapping[str, int]) -> None:
    """Checks the structure of an ONNX file, and that external data stays within the listed files.

    Args:
        source: the file's bytes.
        name: what to call it in messages.
        external: external data files, as the model's ``location`` has to name them → size in bytes.

    Raises:
        BundleError: not an ONNX model, or one that reaches for anything that is not listed.
    """
    checker = _Checker(Wire(source, name), external)
    present = checker.message("ModelProto", 0, source.size, 0)
    for number, what in ((1, "ir_version"), (7, "graph"), (8, "opset_import")):
        if number not in present:
            raise BundleError(f"{name}: has no {what}, expected an ONNX model", "export it again")
    unused = set(external) - checker.used
    if unused:
        raise BundleError(
            f"{name}: no tensor uses the external data {some_of(unused)}", "leave it out of the bundle"
        )


class _Checker:
    """One walk through a model."""

    def __init__(self, wire: Wire, external: Mapping[str, int]) -> None:
        self.used: set[str] = set()
        self._wire = wire
        self._external = external

    def message(self, kind: str, start: int, end: int, depth: int) -> set[int]:
        """Walks a message and all below it; returns the numbers of the fields that it has."""
        if depth > MAX_DEPTH:
            raise self._wire.fault(start, f"messages lie {depth} deep, expected at most {MAX_DEPTH}")
        if kind == "TensorProto":
            self._tensor(start, end)
            return set()
        present = set()
        for field in self._known(kind, start, end):
            present.add(field.number)
            below = MESSAGES[kind][field.number].message
            if below is not None:
                self.message(below, field.start, field.end, depth + 1)
            elif kind == "NodeProto" and field.number == 4:
                self._check_operator(field)
        return present

    def _known(self, kind: str, start: int, end: int) -> Iterator[Field]:
        """Fields of a message, each checked against the tables."""
        rules = MESSAGES[kind]
        seen = set()
        for field in self._wire.fields(start, end):
            rule = rules.get(field.number)
            if rule is None:
                raise self._wire.fault(field.start, f"{kind} has no field {field.number} that edgekit knows")
            if field.wire not in rule.wires:
                what = f"field {field.number} of {kind} has wire type {field.wire}"
                raise self._wire.fault(field.start, what)
            if not rule.repeated:
                if field.number in seen:  # parsers merge or take the last: no two readers need agree
                    raise self._wire.fault(field.start, f"field {field.number} of {kind} is given twice")
                seen.add(field.number)
            yield field

    def _check_operator(self, field: Field) -> None:
        if field.end - field.start > _MAX_ENTRY_BYTES:
            raise self._wire.fault(field.start, "an operator's name longer than 1,024 bytes")
        name = self._wire.read(field.start, field.end)
        if name in _PATH_OPERATORS:
            raise self._wire.fault(field.start, f"operator {name.decode()} opens files by itself")

    def _tensor(self, start: int, end: int) -> None:
        dims: list[int] = []
        dtype, location, raw = 0, 0, None
        entries: dict[str, str] = {}
        for field in self._known("TensorProto", start, end):
            if field.number == 1:
                dims += self._wire.varints(field.start, field.end) if field.wire == BYTES else [field.value]
            elif field.number == 2:
                dtype = field.value
            elif field.number == 9:
                raw = field.end - field.start
            elif field.number == 13:
                self._add_entry(entries, field)
            elif field.number == 14:
                location = field.value
            if len(dims) > _MAX_DIMS:
                raise self._wire.fault(field.start, f"a tensor of more than {_MAX_DIMS} dimensions")
        if location not in (0, 1) or bool(entries) != (location == 1):
            raise self._wire.fault(start, f"data_location {location} with external data {sorted(entries)}")
        if raw is None and not entries:
            return
        if raw is not None and entries:
            raise self._wire.fault(start, "a tensor with both raw and external data")
        size = self._tensor_bytes(start, dims, dtype)
        if raw is not None and raw != size:
            raise self._wire.fault(start, f"raw_data has {raw} bytes, data type {dtype} {dims} has {size}")
        if entries:
            self._check_external(start, entries, size)

    def _tensor_bytes(self, start: int, dims: list[int], dtype: int) -> int:
        if dtype not in ITEM_BITS:
            what = "strings" if dtype == STRING else f"data type {dtype}"
            raise self._wire.fault(start, f"raw or external data of {what}")
        if any(size >= 2**63 for size in dims):
            raise self._wire.fault(start, "a negative dimension")
        size = -(-math.prod(dims) * ITEM_BITS[dtype] // 8)
        if size > MAX_TENSOR_BYTES:
            raise self._wire.fault(start, f"a tensor of more than {MAX_TENSOR_BYTES} bytes")
        return size

    def _add_entry(self, entries: dict[str, str], field: Field) -> None:
        texts = {1: "", 2: ""}
        for part in self._known("StringStringEntryProto", field.start, field.end):
            if part.end - part.start > _MAX_ENTRY_BYTES:
                raise self._wire.fault(part.start, "an external data entry longer than 1,024 bytes")
            try:
                texts[part.number] = self._wire.read(part.start, part.end).decode("utf-8")
            except UnicodeDecodeError as error:
                raise self._wire.fault(part.start, "an external data entry that is not UTF-8") from error
        key = texts[1]
        if key not in _EXTERNAL_KEYS or key in entries:
            what = f"external data key {key[:80]!r}, expected each of {', '.join(_EXTERNAL_KEYS)} once"
            raise self._wire.fault(field.start, what)
        entries[key] = texts[2]

    def _check_external(self, start: int, entries: Mapping[str, str], size: int) -> None:
        location = entries.get("location", "")
        if "_ORT_MEM_ADDR_" in location:
            raise self._wire.fault(start, f"external data at an address in memory, {printable(location)}")
        if location not in self._external:
            what = f"external data in {printable(location)}, the manifest lists {some_of(self._external)}"
            raise self._wire.fault(start, what)
        self.used.add(location)
        offset = self._number(start, entries, "offset", 0)
        length = self._number(start, entries, "length", size)
        if length != size:
            raise self._wire.fault(start, f"external data has {length} bytes, its tensor {size}")
        if offset + length > self._external[location]:
            what = f"external data up to byte {offset + length}, {location!r} has {self._external[location]}"
            raise self._wire.fault(start, what)

    def _number(self, start: int, entries: Mapping[str, str], key: str, default: int) -> int:
        text = entries.get(key)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 19):
            raise self._wire.fault(start, f"external data {key} {text!r}, expected a decimal number")
        return int(text)
