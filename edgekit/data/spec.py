"""What ``--data`` may be: a path or ``provider:what``, then options as in a URL's query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from edgekit.errors import UsageError

FORMS = (
    "a folder, a picture, a video, a .txt text, a .wav recording, a .jsonl or .csv table, "
    "COCO's instances.json?images=FOLDER, VQA's questions.json?annotations=FILE&images=FOLDER, "
    "or rendered:lines?n=2000&seed=7"
)
LARGEST = 10**6


@dataclass(frozen=True, slots=True)
class DataSpec:
    """Data as it was named.

    Attributes:
        text: the whole specification, as reports repeat it.
        provider: ``rendered`` in ``rendered:lines?n=2000``; empty for a path.
        what: the path, or what the provider shall give.
        options: the query's keys and values.
    """

    text: str
    provider: str
    what: str
    options: Mapping[str, str]

    def count(self, key: str, default: int, least: int = 0) -> int:
        """A whole number among the options.

        Raises:
            UsageError: not a whole number, or out of range.
        """
        value = self.options.get(key, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= LARGEST:
            raise UsageError(
                f"data: {self.text}: {key}={value}", f"expected a whole number, {least} to {LARGEST}"
            )
        return int(value)

    def refuse_unknown(self, *known: str) -> None:
        """Checks that no other option was given.

        Raises:
            UsageError: there is one.
        """
        unknown = sorted(self.options.keys() - set(known))
        if unknown:
            raise UsageError(
                f"data: {self.text}: no option {unknown[0]!r} here", f"expected {', '.join(known)}"
            )


def parse_spec(text: str) -> DataSpec:
    """Takes ``path?crops=14&seed=1`` apart, without looking at any file.

    Raises:
        UsageError: empty, or an option without value or given twice.
    """
    what, _, query = text.partition("?")
    if not what:
        raise UsageError("data: got nothing", f"expected {FORMS}")
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if len(options) != len(pairs) or not all(options.values()) or (query and not pairs):
        raise UsageError(
            f"data: {text}: cannot read the options", "write them as ?crops=14&seed=1, each once"
        )
    match = re.fullmatch(r"([a-z][a-z0-9_]+):(?!/)(.+)", what)
    return DataSpec(text, match[1], match[2], options) if match else DataSpec(text, "", what, options)
