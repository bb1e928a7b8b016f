"""Types of single fields of ``manifest.json``, and the base of its parts."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

# \Z, not $: a Python $ also matches before a final newline.
Sha256: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Sha256Start: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
MemberPath: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*\Z", max_length=200)]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*\Z", max_length=64)]
Text: TypeAlias = Annotated[str, Meta(max_length=4096)]
Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4096)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # what every JSON reader holds exactly
Pixels: TypeAlias = Annotated[int, Meta(ge=1, le=16384)]
Byte: TypeAlias = Annotated[int, Meta(ge=0, le=255)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parts: immutable, no unknown keys. (Type checkers want ``frozen`` at each part again.)"""
