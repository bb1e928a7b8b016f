"""The JSON schema of ``report.json``, made from its structs.

``python -m edgekit.report.schema > docs/accuracy-report.schema.json`` publishes it.
"""

from __future__ import annotations

import sys
from inspect import cleandoc
from typing import Any

import msgspec

from edgekit.report.accuracy import SCHEMA, Report


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of :class:`edgekit.report.accuracy.Report`; the same from every Python."""
    schema: dict[str, Any] = _portable(msgspec.json.schema(Report))
    report = schema["$defs"]["Report"]
    report["properties"]["schema"] = {"const": SCHEMA}
    report["properties"]["kind"] = {"const": "accuracy"}
    report["required"] = ["schema", "kind", *report["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"edgekit accuracy report, schema {SCHEMA}",
        **schema,
    }


def published() -> bytes:
    """The bytes of the published file."""
    return msgspec.json.format(msgspec.json.encode(json_schema(), order="sorted"), indent=1) + b"\n"


def _portable(node: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Dedents docstrings, which Python does itself from 3.13 on, and spells ``\\Z`` as ECMA 262 does."""
    if isinstance(node, list):
        return [_portable(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _portable(value) for key, value in node.items()}
    if isinstance(found.get("description"), str):
        found["description"] = cleandoc(found["description"])
    if isinstance(found.get("pattern"), str):
        found["pattern"] = found["pattern"].replace(r"\Z", "$")
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(published())
