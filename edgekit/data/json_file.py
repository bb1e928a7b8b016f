"""JSON that someone else wrote: decoded into a given type, or refused with the place at fault."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from edgekit.errors import DataError

T = TypeVar("T")


def read_json(path: Path, type: type[T], expected: str) -> T:
    """A whole file.

    Raises:
        DataError: it cannot be read, or is no such JSON.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    return decoded(content, type, str(path), expected)


def decoded(content: bytes | str, type: type[T], where: str, expected: str) -> T:
    """JSON as a value of ``type``; keys that the type does not know are passed over.

    Args:
        content: the JSON.
        type: what it must be; see ``msgspec.json.decode``.
        where: what the message names as the origin.
        expected: what it should hold, for the message.

    Raises:
        DataError: no JSON, of another form, or nested too deeply.
    """
    try:
        return msgspec.json.decode(content, type=type)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}: {error}", f"expected {expected}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DataError(f"{where}: not JSON: {error}", f"expected {expected}") from error
    except RecursionError:
        raise DataError(f"{where}: nested too deeply", f"expected {expected}") from None
